"""Name and email address, and the link that confirms a new address."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.actions import settings as actions
from jobserver.actions.naming import Malformed, Refused
from jobserver.actions.settings import Saved
from jobserver.actions.users import EmailTaken
from jobserver.forms.settings import AccountForm
from jobserver.models import utcnow
from jobserver.queries import settings as queries
from jobserver.queries.settings import LinkState
from jobserver.resources import SettingsResource
from jobserver.resources.links import view_url
from jobserver.security.permissions import Permission
from jobserver.views.settings import level4
from jobserver.views.settings.frame import back, frame, posted

# The page whose address holds the token; it is also named in the mail.
CONFIRM = "confirm-email"
LONGEST_TOKEN = 100


@view_config(
    context=SettingsResource,
    permission=Permission.ACCOUNT,
    request_method=("GET", "POST"),
    renderer="jobserver:templates/settings/account.jinja2",
    http_cache=0,
)
def account(context: SettingsResource, request: Request) -> Response | dict[str, Any]:
    """The name at once, the address by way of a link."""
    if request.method == "POST" and "token" in request.POST:
        # Where the form of the Level 4 token used to be sent.
        request.override_renderer = level4.TEMPLATE
        return level4.level4(context, request)
    me = request.identity
    form = AccountForm(posted(request), fullname=me.fullname, email=me.email or "")
    if request.method == "POST" and form.validate():
        saved = _save(request, form)
        if saved:
            _tell(request, saved)
            return back(context, request)
    now = utcnow()
    change = queries.email_change(request.db, me.user_id)
    return {
        **frame(context, request),
        "form": form,
        "change": change,
        "has_expired": change is not None and change.expires_at <= now,
        "is_nameless": actions.is_blank(me.fullname),
        "now": now,
    }


def _save(request: Request, form: AccountForm) -> Saved | None:
    """What was saved; None if nothing was, with the reason at the field."""
    fields = {"name": form.fullname, "email": form.email}
    try:
        return actions.save(
            request.db,
            request.identity.user_id,
            fullname=form.fullname.data or "",
            email=form.email.data or "",
        )
    except EmailTaken:
        form.email.errors = ["Another account has this address. Enter another one."]
    except Malformed as fault:
        fields[fault.field].errors = [f"It {fault.why}."]
    except Refused as fault:
        fields[fault.field].errors = [str(fault)]
    return None


def _tell(request: Request, saved: Saved) -> None:
    name = "Your name is saved." if saved.renamed else ""
    if saved.asked:
        link = f"A link is on its way to {saved.asked}. Your address changes once you have followed it."
        request.flash("success", f"{name} {link}".strip())
    else:
        request.flash("success" if name else "info", name or "Nothing was changed.")


@view_config(
    context=SettingsResource,
    name="resend-email",
    permission=Permission.ACCOUNT,
    request_method="POST",
    http_cache=0,
)
def resend(context: SettingsResource, request: Request) -> Response:
    """Mail a new link; the earlier one ends."""
    try:
        email = actions.ask_again(request.db, request.identity.user_id)
    except EmailTaken:
        request.flash("danger", "No link was sent: another account has this address by now.")
    except Refused as fault:
        request.flash("warning", str(fault))
    else:
        if email:
            request.flash("success", f"A new link is on its way to {email}. The one before no longer works.")
        else:
            request.flash("info", "No link was sent: no change of address is under way.")
    return back(context, request)


@view_config(
    context=SettingsResource,
    name="cancel-email",
    permission=Permission.ACCOUNT,
    request_method="POST",
    http_cache=0,
)
def withdraw(context: SettingsResource, request: Request) -> Response:
    """Keep the address; the link ends."""
    if actions.withdraw(request.db, request.identity.user_id):
        request.flash("success", "Your email address stays as it is. The link no longer works.")
    else:
        request.flash("info", "No change of address is under way.")
    return back(context, request)


@view_config(
    context=SettingsResource,
    name=CONFIRM,
    permission=Permission.ACCOUNT,
    request_method="GET",
    renderer="jobserver:templates/settings/confirm_email.jinja2",
    http_cache=0,
)
def ask_to_confirm(context: SettingsResource, request: Request) -> dict[str, Any]:
    """What the link would do, with the button that does it: looking at it changes nothing."""
    token = request.GET.get("token", "")
    link = queries.link_of(request.db, request.identity.user_id, token, utcnow())
    return {
        **frame(context, request),
        "breadcrumbs": [("Settings", view_url(request, context)), ("New email address", None)],
        "link": link,
        "token": token,
        "is_usable": link.state is LinkState.USABLE,
    }


@view_config(
    context=SettingsResource, name=CONFIRM, permission=Permission.ACCOUNT, request_method="POST", http_cache=0
)
def confirm(context: SettingsResource, request: Request) -> Response:
    """Change the address; or say on the link's own page why it cannot be done."""
    token = request.POST.get("token", "")
    link = actions.confirm(request.db, request.identity.user_id, token)
    if link.state is LinkState.USABLE:
        request.flash("success", f"Your email address is {link.email} now.")
        return back(context, request)
    return back(context, request, CONFIRM, {"token": token[:LONGEST_TOKEN]})
