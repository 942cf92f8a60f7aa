"""A RAP controller on loopback that a test leads by the hand, and what a test needs around it."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from jobserver.clients import Clients
from jobserver.clients.mail import ConsoleBackend, Mailer
from jobserver.clients.rap import RapClient
from jobserver.clients.slack import SlackClient
from jobserver.clients.transport import MEGABYTE, Limits
from jobserver.rap.context import Context
from jobserver.security.tokens import new_identifier
from jobserver.settings import Settings
from tests.contract.recorded import Asked, Reply, html_reply, json_reply, serving

BASE = "/controller/v1/"
TOKEN = "rap-token"

Answer = Reply | Callable[[Asked], Reply]

DOWN = Reply(hang_up=True)
PAGE = html_reply(502)


class Controller:
    """Keeps jobs by RAP id. ``says`` overrides what an endpoint answers, once for each entry."""

    def __init__(self) -> None:
        self.jobs: dict[str, list[dict[str, Any]]] = {}
        self.backends: list[dict[str, Any]] = []
        self.says: dict[str, list[Answer]] = {"create": [], "cancel": [], "status": [], "backend": []}
        self.down = False
        self.url = ""
        self.asked: list[Asked] = []
        self.lock = threading.Lock()

    def calls(self, endpoint: str) -> list[Any]:
        """The bodies of the calls to an endpoint so far."""
        return [each.json() for each in self.asked if each.path == f"{BASE}rap/{endpoint}/"]

    def add(self, rap_id: str, *states: str, code: str = "", **more: Any) -> list[dict[str, Any]]:
        """Jobs of a RAP in these states."""
        jobs = [
            job(rap_id, f"action_{number}", state, code, **more)
            for number, state in enumerate(states, start=len(self.jobs.get(rap_id, [])))
        ]
        self.jobs.setdefault(rap_id, []).extend(jobs)
        return jobs

    def move(self, rap_id: str, *states: str, **more: Any) -> None:
        """Move the jobs of a RAP, in their order, to these states."""
        for each, state in zip(self.jobs[rap_id], states, strict=True):
            each.update(_in_state(state), **more)

    def answer(self, asked: Asked) -> Reply:
        with self.lock:
            return self._answer(asked)

    def _answer(self, asked: Asked) -> Reply:
        if self.down:
            return DOWN
        endpoint = asked.path.removeprefix(BASE).removeprefix("rap/").split("/")[0]
        if self.says[endpoint]:
            said = self.says[endpoint].pop(0)
            return said if isinstance(said, Reply) else said(asked)
        if asked.headers.get("Authorization") != TOKEN:
            return json_reply({"error": "Unauthorized", "details": "Invalid token"}, 401)
        if endpoint == "backend":
            return json_reply({"backends": self.backends})
        reply: Reply = getattr(self, f"_{endpoint}")(asked.json())
        return reply

    def _create(self, body: dict[str, Any]) -> Reply:
        rap_id = body["rap_id"]
        known = rap_id in self.jobs
        if not known:
            self.jobs[rap_id] = [job(rap_id, action) for action in body["requested_actions"]]
        result = "No change" if known else "Success"
        answer = {"result": result, "details": "…", "rap_id": rap_id, "count": len(self.jobs[rap_id])}
        return json_reply(answer, 200 if known else 201)

    def _status(self, body: dict[str, Any]) -> Reply:
        found = [each for rap_id in body["rap_ids"] for each in self.jobs.get(rap_id, [])]
        unknown = [rap_id for rap_id in body["rap_ids"] if rap_id not in self.jobs]
        return json_reply({"jobs": found, "unrecognised_rap_ids": unknown})

    def _cancel(self, body: dict[str, Any]) -> Reply:
        jobs = self.jobs.get(body["rap_id"], [])
        missing = sorted(set(body["actions"]) - {each["action"] for each in jobs})
        if missing:
            answer = {"error": "jobs not found", "details": "No such jobs", "not_found": missing}
            return json_reply(answer, 404)
        for each in jobs:
            if each["action"] in body["actions"]:
                each.update(_in_state("cancelled"))
        return json_reply({"result": "Success", "details": "…", "count": len(body["actions"])})


def job(rap_id: str, action: str, state: str = "pending", code: str = "", **more: Any) -> dict[str, Any]:
    """A job as the controller reports it."""
    report = {
        "identifier": new_identifier(),
        "rap_id": rap_id,
        "backend": "tpp",
        "action": action,
        "run_command": f"python:v2 python {action}.py",
        "status_message": "",
        "created_at": "2026-01-05T09:30:00Z",
        "trace_context": {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"},
        "metrics": {"cpu_mean": 97.1},
        "requires_db": False,
        **_in_state(state),
    }
    return report | ({"status_code": code} if code else {}) | more


_CODES = {
    "pending": "created",
    "running": "executing",
    "succeeded": "succeeded",
    "failed": "nonzero_exit",
    "cancelled": "cancelled_by_user",
}


def _in_state(state: str) -> dict[str, Any]:
    ended = state in {"succeeded", "failed", "cancelled"}
    return {
        "status": "failed" if state == "cancelled" else state,
        "status_code": _CODES.get(state, "odd"),
        "updated_at": "2026-01-05T09:41:00Z" if ended else "2026-01-05T09:31:00Z",
        "started_at": None if state == "pending" else "2026-01-05T09:30:40Z",
        "completed_at": "2026-01-05T09:41:00Z" if ended else None,
    }


@contextmanager
def running_controller() -> Iterator[Controller]:
    """A controller that answers."""
    controller = Controller()
    with serving(controller.answer) as server:
        controller.url = server.url + BASE
        controller.asked = server.asked
        yield controller


class Outbox(io.StringIO):
    """Mails or posts that were sent, as text."""

    @property
    def messages(self) -> list[str]:
        """Each message."""
        return [each for each in self.getvalue().split("-" * 72) if each.strip()]


def make_context(
    settings: Settings, factory: sessionmaker[Session], controller_url: str, outbox: io.StringIO | None = None
) -> Context:
    """A context whose controller is this one; mails and posts go to the outbox."""
    outbox = outbox or io.StringIO()
    settings = replace(settings, rap_api_base_url=controller_url, rap_api_token=TOKEN)
    limits = Limits(connect=1, read=1, size=8 * MEGABYTE)
    clients = replace(
        Clients.from_settings(settings),
        rap=RapClient(controller_url, TOKEN, create_limits=limits, limits=limits),
        mail=Mailer(ConsoleBackend(outbox), settings.email_from),
        slack=SlackClient(settings.slack_api_url, "", debug=True, stream=outbox),
    )
    return Context(settings, factory, clients)
