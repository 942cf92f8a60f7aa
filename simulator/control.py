"""``/control/``: makes things go wrong, moves time, and shows what the services were asked."""

import json
from typing import Any, Literal

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from simulator.faults import Fault
from simulator.html import joined, page
from simulator.journal import SERVICES
from simulator.rap.scheduler import UnknownJob
from simulator.world import World


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BackendChange(_Part):
    """What to change about a backend; what is left out stays."""

    slug: str
    paused: bool | None = None
    db_maintenance: Literal["off", "scheduled", "manual"] | None = None
    agent: bool | None = None


class Step(_Part):
    """Lets so many seconds of work pass in one backend, or in all."""

    seconds: float = Field(0, ge=0)
    backend: str | None = None


class AgentReport(_Part):
    """What a backend's agent reports about a job, at once."""

    rap_id: str
    action: str
    code: str
    message: str | None = None
    metrics: dict[str, Any] | None = None


class Commands(_Part):
    """Everything that can be asked for in one call, carried out in this order.

    ``reset`` puts all services in order, ends pauses and maintenance and goes back to the configured stale
    codelists; ``clear`` forgets what was received or made; ``step`` is one pass of the controller's loop
    after some seconds of work (none unless given).
    """

    reset: bool = False
    clear: list[Literal["mail", "slack", "requests", "jobs", "issues"]] = []
    fault: Fault | None = None
    faults: list[Fault] = []
    speed: float | None = Field(None, ge=0, le=10_000)
    stale_codelists: list[str] | None = None
    backend: BackendChange | None = None
    agent: AgentReport | None = None
    step: Step | None = None


_FORGETTING = {
    "mail": ("DELETE FROM mails",),
    "slack": ("DELETE FROM posts",),
    "jobs": ("DELETE FROM jobs",),
    "issues": ("DELETE FROM comments", "DELETE FROM issues"),
}


class Refused(Exception):
    """A command cannot be carried out."""


def carry_out(world: World, commands: Commands) -> None:
    """Does what is asked. Raises Refused for an unknown backend or job."""
    if commands.reset:
        _reset(world)
    for what in commands.clear:
        if what == "requests":
            world.journal.clear()
        for statement in _FORGETTING.get(what, ()):
            world.store.run(statement)
    for fault in [*commands.faults, *([commands.fault] if commands.fault else [])]:
        world.faults.add(fault)
    if commands.speed is not None:
        world.clock.speed = commands.speed
    if commands.stale_codelists is not None:
        world.store.set_setting("stale_codelists", commands.stale_codelists)
    if commands.backend:
        _change_backend(world, commands.backend)
    if commands.agent:
        _report(world, commands.agent)
    if commands.step:
        if commands.step.backend is not None:
            _known(world, commands.step.backend)
        world.scheduler.run(commands.step.seconds, world.clock.now(), commands.step.backend)


def _reset(world: World) -> None:
    world.faults.clear()
    world.store.forget_setting("stale_codelists")
    now = world.clock.now()
    for state in world.scheduler.backends():
        if state.paused:
            world.scheduler.pause(state.slug, False, now)
        if state.maintenance:
            world.scheduler.maintain(state.slug, None, now)
        world.scheduler.connect_agent(state.slug, True)


def _known(world: World, slug: str) -> None:
    try:
        world.scheduler.backend(slug)
    except KeyError:
        known = ", ".join(state.slug for state in world.scheduler.backends())
        raise Refused(f"There is no backend {slug!r}; there are: {known}.") from None


def _change_backend(world: World, change: BackendChange) -> None:
    _known(world, change.slug)
    now = world.clock.now()
    if change.paused is not None:
        world.scheduler.pause(change.slug, change.paused, now)
    if change.db_maintenance is not None:
        kind = None if change.db_maintenance == "off" else change.db_maintenance
        world.scheduler.maintain(change.slug, kind, now)
    if change.agent is not None:
        world.scheduler.connect_agent(change.slug, change.agent)


def _report(world: World, report: AgentReport) -> None:
    details = report.model_dump(include={"message", "metrics"}, exclude_none=True)
    try:
        world.scheduler.report(report.rap_id, report.action, report.code, world.clock.now(), details)
    except UnknownJob as fault:
        raise Refused(str(fault)) from fault


def state(world: World) -> dict[str, Any]:
    """What is in force at present."""
    backends = [
        {
            "slug": each.slug,
            "paused": each.paused,
            "db_maintenance": each.maintenance or "off",
            "agent": each.agent,
        }
        for each in world.scheduler.backends()
    ]
    return {
        "speed": world.clock.speed,
        "stale_codelists": world.stale_codelists,
        "faults": world.faults.all(),
        "backends": backends,
    }


def show(request: Request) -> Response:
    """The state and a form to change it; JSON for those who accept that."""
    if "json" in request.headers.get("Accept", ""):
        return _json(state(request.world))
    return _form(request.world)


def change(request: Request) -> Response:
    """Carries out commands from a JSON body, or from the form."""
    from_form = "json" not in (request.content_type or "")
    try:
        body = _from_form(dict(request.POST)) if from_form else json.loads(request.body)
        carry_out(request.world, Commands.model_validate(body))
    except ValidationError as fault:
        errors = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in fault.errors()]
        return _json({"errors": errors}, 400)
    except (ValueError, Refused) as fault:
        return _json({"errors": [str(fault)]}, 400)
    if from_form:
        return Response(status=303, location="/control/")
    return _json(state(request.world))


def requests(request: Request) -> Response:
    """The last requests of every service, or of ``?service=``, oldest first."""
    received = request.world.journal.all()
    wanted = request.GET.get("service")
    if wanted is not None and wanted not in received:
        return _json(
            {"errors": [f"service: there is no service {wanted!r}; there are: {', '.join(SERVICES)}."]}, 400
        )
    return _json(received if wanted is None else received[wanted])


def _json(body: Any, status: int = 200) -> Response:
    return Response(
        json.dumps(body).encode(), status=status, content_type="application/json", charset="utf-8"
    )


def _from_form(fields: dict[str, str]) -> dict[str, Any]:
    """The form's fields as commands: each of its forms has a hidden field ``what``."""
    what = fields.pop("what", "")
    filled: dict[str, Any] = {name: value for name, value in fields.items() if value != ""}
    if what == "reset":
        return {"reset": True}
    if what == "speed":
        return {"speed": filled.get("speed")}
    if what in {"fault", "backend"}:
        return {what: filled}
    raise ValueError(f"what: {what!r} is not one of fault, backend, speed, reset")


_KINDS = ("slow", "refuse", "status", "html", "truncated", "drop", "rate_limit")
_AS_IT_IS = ""


def _choice(label: str, name: str, values: tuple[str, ...]) -> Markup:
    options = joined([Markup("<option>{}").format(value) for value in values])
    return Markup('<label>{} <select name="{}">{}</select></label>').format(label, name, options)


def _field(label: str, name: str) -> Markup:
    return Markup('<label>{} <input name="{}" size="6"></label>').format(label, name)


def _part(title: str, what: str, fields: list[Markup], button: str) -> Markup:
    return Markup(
        '<h2>{}</h2><form method="post"><input type="hidden" name="what" value="{}">'
        "{}<p><button>{}</button></form>"
    ).format(title, what, joined(fields), button)


def _form(world: World) -> Response:
    now = state(world)
    slugs = tuple(each["slug"] for each in now["backends"])
    fault = [
        _choice("Service", "service", SERVICES),
        _choice("Fault", "kind", _KINDS),
        _field("Seconds, if slow", "seconds"),
        _field("Status", "status"),
        _field("Only paths that begin", "path"),
        _field("How many requests", "count"),
    ]
    backend = [
        _choice("Backend", "slug", slugs),
        _choice("Paused", "paused", (_AS_IT_IS, "true", "false")),
        _choice("Database maintenance", "db_maintenance", (_AS_IT_IS, "scheduled", "manual", "off")),
        _choice("Agent connected", "agent", (_AS_IT_IS, "true", "false")),
    ]
    parts = [
        Markup("<pre>{}</pre>").format(json.dumps(now, indent=2)),
        _part("Make something go wrong", "fault", fault, "Make it go wrong"),
        _part("Backends", "backend", backend, "Change backend"),
        _part("Speed", "speed", [_field("Times real time; at 0 nothing moves", "speed")], "Change speed"),
        _part("Put everything in order", "reset", [], "Reset"),
        Markup('<p><a href="/control/requests">Last requests received</a>'),
    ]
    return page("Control", joined(parts))


def includeme(config: Configurator) -> None:
    """Adds the control addresses."""
    config.add_route("control", "/control/")
    config.add_view(show, route_name="control", request_method="GET")
    config.add_view(change, route_name="control", request_method="POST")
    config.add_route("control:requests", "/control/requests")
    config.add_view(requests, route_name="control:requests", request_method="GET")
