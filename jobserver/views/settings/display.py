"""How pages look in this browser: kept in its cookies, not in the account."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.forms.settings import DisplayForm
from jobserver.http.cookies import YEAR
from jobserver.resources import SettingsResource
from jobserver.security.permissions import Permission
from jobserver.templating.preferences import Preferences
from jobserver.views.settings.frame import back, frame, posted

TAB = "display"


@view_config(
    context=SettingsResource,
    name=TAB,
    permission=Permission.ACCOUNT,
    request_method=("GET", "POST"),
    renderer="jobserver:templates/settings/display.jinja2",
    http_cache=0,
)
def display(context: SettingsResource, request: Request) -> Response | dict[str, Any]:
    """Colours, times and keys."""
    now = Preferences.read(request.cookies)
    form = DisplayForm(
        posted(request),
        theme=now.theme or "system",
        exact_times=now.exact_times,
        single_keys=now.single_keys,
    )
    if request.method == "POST" and form.validate():
        response = back(context, request, TAB)
        chosen = Preferences(form.theme.data, form.exact_times.data, form.single_keys.data)
        secure = request.registry["settings"].base_url.startswith("https://")
        for name, value in chosen.cookies().items():
            response.set_cookie(
                name, value, max_age=YEAR, path="/", secure=secure, httponly=True, samesite="Lax"
            )
        request.flash("success", "Saved for this browser.")
        return response
    return {**frame(context, request, TAB), "form": form}
