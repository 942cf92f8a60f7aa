"""The web application: every simulated service under its own path."""

from collections.abc import Callable
from typing import Any

from markupsafe import Markup
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from simulator.html import page
from simulator.rap import views as controller
from simulator.world import World

_INDEX = Markup("""
<p>The outside world that Job Server talks to, on this machine.
<table>
<tr><td><a href="/mail/">Mail</a><td>messages received on SMTP port {smtp_port}
<tr><td><a href="/slack/">Slack</a><td>what was posted; the API is below /slack/api/
<tr><td>GitHub<td>{owners}; the API is below /api/github, sign-in below /github/login/oauth/
<tr><td><a href="/controller/v1/docs/">RAP controller</a><td>below /controller/v1/
<tr><td>OpenCodelists<td>the check at /opencodelists/api/v1/check/
<tr><td><a href="/control/">Control</a><td>faults, pauses, maintenance, speed, last requests
</table>
""")


def index(request: Request) -> Response:
    """What is here."""
    world: World = request.world
    links = [Markup('<a href="/github/{0}">{0}</a>').format(owner) for owner in world.repositories.owners]
    owners = Markup(", ").join(links) or Markup("no repositories")
    return page("The outside world", _INDEX.format(smtp_port=world.smtp_port, owners=owners))


def nothing(request: Request) -> Response:
    """Any address that does not exist."""
    if request.path_info.startswith("/controller"):
        return controller.not_found()
    return page("Page not found", Markup("<p>There is nothing at this address."), 404)


def create(world: World) -> Callable[..., Any]:
    """The WSGI application around a world."""
    with Configurator() as config:
        config.add_request_method(lambda _request: world, "world", reify=True)
        config.add_tween("simulator.faults.tween_factory")
        config.add_route("index", "/")
        config.add_view(index, route_name="index")
        config.add_notfound_view(nothing)
        for part in ("rap.views", "github", "opencodelists", "slack", "mail", "control"):
            config.include(f"simulator.{part}")
        application: Callable[..., Any] = config.make_wsgi_app()
    return application
