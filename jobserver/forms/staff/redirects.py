"""The form of a redirect that is made by hand (spec: staff 17.15)."""

from urllib.parse import unquote, urlsplit

from wtforms import Form, StringField
from wtforms.validators import InputRequired

from jobserver.forms.text import at_most, stripped

LONGEST = 2000


class NewRedirectForm(Form):
    """From which path of this site to which page of it."""

    old_url = StringField(
        "Old address",
        description="The path that people may still follow, such as /old-name/. It holds for all below it.",
        filters=[stripped],
        validators=[
            InputRequired("Enter the old address."),
            at_most(LONGEST),
        ],
    )
    target = StringField(
        "Leads to",
        description="The address of the public page of an organisation, a project or a workspace.",
        filters=[stripped],
        validators=[
            InputRequired("Enter the address that it is to lead to."),
            at_most(LONGEST),
        ],
    )


def path_names(typed: str, base_url: str) -> list[str] | None:
    """The names along a path of this site, typed with or without the site; None if it is no such path.

    The addresses of organisations that began with ``/orgs/`` are led on by themselves.
    """
    here = base_url.rstrip("/") + "/"
    path = typed.removeprefix(here) if typed.startswith(here) else typed
    try:
        parts = urlsplit(path)
    except ValueError:
        return None
    if parts.scheme or parts.netloc or parts.query or parts.fragment:
        return None
    names = [unquote(name) for name in parts.path.strip("/").split("/")]
    if names[0] == "orgs" and len(names) > 1:
        names = names[1:]
    return names if all(name and "/" not in name and name.isprintable() for name in names) else None
