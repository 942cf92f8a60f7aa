"""What Airlock makes of an answer: whether it goes on, and what its people see of it (spec: airlock 10)."""

import textwrap
from dataclasses import dataclass
from typing import Any

from simulator.airlock.client import Answer

OK = 200
CREATED = 201
ALREADY = "This version of '{name}' has already been uploaded"


@dataclass(frozen=True)
class Reaction:
    """Whether Airlock goes on as wanted, and what happens there, in words."""

    fine: bool
    words: str


def authenticate(answer: Answer) -> Reaction:
    """Of signing in: every failure reads the same to the person."""
    if answer.status != OK:
        return Reaction(False, f"the form says “invalid user or token”; the answer was {_said(answer)}")
    if not isinstance(answer.value, dict) or "username" not in answer.value:
        return Reaction(False, "500 page: the answer is no JSON with a username")
    return Reaction(True, f"signed in; {_permissions(answer.value)}")


def authorise(answer: Answer) -> Reaction:
    """Of asking for permissions: a failure leaves the old ones, and every page asks again."""
    if answer.status != OK:
        return Reaction(
            False, f"the old permissions stay, and every page asks again; the answer was {_said(answer)}"
        )
    if not isinstance(answer.value, dict):
        return Reaction(False, "500 page: the answer is no JSON object")
    return Reaction(True, _permissions(answer.value))


def create(answer: Answer) -> Reaction:
    """Of announcing a release. Unless it is fine, the release request stays as it was."""
    if answer.status is None:
        return Reaction(False, f"500 page: {answer.text}; the request is unchanged")
    if answer.status < 300:
        if "Release-Id" not in answer.headers:
            return Reaction(False, "500 page: there is no Release-Id; the request is unchanged")
        logged = "" if answer.status == CREATED else "an error is logged, for 201 was expected; "
        return Reaction(True, f"{logged}release {answer.headers['Release-Id']}")
    shown = "permission denied" if answer.status == 403 else "contact tech-support"
    return Reaction(False, f"“{shown}”; the request is unchanged; the answer was {_said(answer)}")


def upload(answer: Answer, name: str) -> Reaction:
    """Of sending a file: unless it was taken, or is said to be there already, it is tried again for ever."""
    if answer.status == CREATED:
        return Reaction(True, "uploaded")
    again = "tried again every minute, without end"
    if answer.status is None:
        return Reaction(False, f"{again}: {answer.text}")
    body = answer.value
    if not isinstance(body, dict) or "detail" not in body:
        return Reaction(False, f"{again}; the log does not show the answer: {_said(answer)}")
    if answer.status != OK and ALREADY.format(name=name) in str(body["detail"]):
        return Reaction(True, "counts as uploaded: it was there already")
    return Reaction(False, f"{again}; the log shows: {_said(answer)}")


def event(answer: Answer) -> Reaction:
    """Of telling an event, which is never repeated; the state has changed in Airlock all the same."""
    if answer.status is None:
        return Reaction(False, f"500 page, though the state has changed: {answer.text}")
    if answer.status != CREATED:
        return Reaction(False, f"logged as an error and never repeated: {_said(answer)}")
    body = answer.value
    if not isinstance(body, dict) or "status" not in body:
        return Reaction(False, "500 page, though the state has changed: the answer is no JSON with a status")
    if body["status"] != "ok":
        return Reaction(False, f"logged as an error and never repeated: {body.get('message', _said(answer))}")
    return Reaction(True, "logged")


def may_ask(permissions: Any, workspace: str) -> str | None:
    """Why Airlock would not let somebody make a release request for a workspace; None if it would."""
    known = permissions.get("workspaces", {}).get(workspace)
    if known is None:
        return f"{workspace} is not among their workspaces"
    if known.get("archived"):
        return f"{workspace} is archived"
    if not known.get("project_details", {}).get("ongoing"):
        return f"the project of {workspace} is not ongoing"
    return None


def may_check(permissions: Any, author: str) -> str | None:
    """Why Airlock would not let somebody review a request of the author's; None if it would."""
    if not permissions.get("output_checker"):
        return "they are no output checker"
    if permissions.get("username") == author:
        return "it is their own request"
    return None


def _permissions(body: dict[str, Any]) -> str:
    workspaces = body.get("workspaces") or {}
    parts = [f"{len(workspaces)} workspace{'' if len(workspaces) == 1 else 's'}"]
    if body.get("copiloted_workspaces"):
        parts.append(f"{len(body['copiloted_workspaces'])} co-piloted")
    parts += [
        word
        for key, word in (("output_checker", "output checker"), ("readonly_access", "read-only access"))
        if body.get(key)
    ]
    return f"permissions stored: {', '.join(parts)}"


def _said(answer: Answer) -> str:
    """The answer on one line."""
    if answer.status is None:
        return answer.text
    body = answer.value
    text = str(body["detail"]) if isinstance(body, dict) and "detail" in body else answer.text
    return textwrap.shorten(text, 160, placeholder=" …") or "empty"
