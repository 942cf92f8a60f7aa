"""Making mails from their templates: one for HTML, one for text, of the same name."""

from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from jobserver.clients.mail import Message
from jobserver.templating.times import LONDON

TEMPLATES = Path(__file__).parent.parent / "templates" / "mail"
TEAM = "OpenSAFELY Team <team@opensafely.org>"
DOCUMENTATION = "https://docs.opensafely.org/jobs-site/"
# Templates that others are built from.
FRAMES = frozenset({"layout", "parts"})

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=select_autoescape(enabled_extensions=("html.jinja2",), default=False),
)


def names() -> list[str]:
    """The name of every mail that can be made."""
    found = {path.name.split(".")[0] for path in TEMPLATES.glob("*.jinja2")}
    return sorted(found - FRAMES)


def write(name: str, *, to: str, subject: str, **values: Any) -> Message:
    """The mail of this name. Line breaks in the subject, which a name may bring in, become spaces."""
    values = {"documentation": DOCUMENTATION, **values}
    return Message(
        to=to,
        subject=one_line(subject),
        text=_environment.get_template(f"{name}.txt.jinja2").render(values),
        html=_environment.get_template(f"{name}.html.jinja2").render(values),
        reply_to=TEAM,
    )


def one_line(text: str) -> str:
    """The text with each run of white space and control characters as one space."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def moment_in_words(moment: datetime) -> str:
    """The minute and the day, "14:32 on 17 November 2026 (GMT)"."""
    local = moment.astimezone(LONDON)
    return f"{local:%H:%M} on {local.day} {local:%B %Y} ({local:%Z})"
