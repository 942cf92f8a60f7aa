"""A whole release request, step by step as people and Airlock's background process would take it."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.airlock import reactions
from simulator.airlock.client import Answer, Client, Event
from simulator.airlock.files import OutputFile
from simulator.airlock.reactions import Reaction

# Crockford's base 32: no I, L, O and U.
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_request_id() -> str:
    """A ULID, as Airlock gives to a release request."""
    number = time.time_ns() // 1_000_000 << 80 | secrets.randbits(80)
    return "".join(_DIGITS[number >> shift & 31] for shift in range(125, -1, -5))


class Ended(Exception):
    """Airlock would not let anybody go on from here."""


@dataclass(frozen=True)
class Plan:
    """Who asks for what, and how it goes.

    ``login_token``: three words with which the author signs in. ``returned``: once, by the checker.
    ``withdrawn``: after it was returned, else before it is ever submitted. ``retry_delay``: seconds between
    two tries to upload what is missing; None: one try.
    """

    workspace: str
    author: str
    checkers: tuple[str, str]
    files: Sequence[OutputFile]
    request_id: str
    login_token: str | None = None
    returned: bool = False
    rejected: bool = False
    withdrawn: bool = False
    checking: tuple[str, str] | None = None
    retry_delay: float | None = None


class Drive:
    """Takes the steps and says a line about each; ``failures`` counts those that failed in Airlock's eyes."""

    def __init__(self, client: Client, plan: Plan, say: Callable[[str], None]) -> None:
        self.client = client
        self.plan = plan
        self.say = say
        self.failures = 0
        self.release_url: str | None = None

    def run(self) -> None:
        """From signing in to the end that is planned, or as far as Airlock would let it go."""
        try:
            self._people()
            self._request()
        except Ended as reason:
            self.failures = max(self.failures, 1)
            self.say(f"! Airlock ends here: {reason}.")

    def _people(self) -> None:
        plan = self.plan
        permissions = self._sign_in() if plan.login_token else {}
        permissions = self._authorise(plan.author) or permissions
        if obstacle := reactions.may_ask(permissions, plan.workspace):
            raise Ended(f"{plan.author} cannot make a release request, for {obstacle}")
        for checker in () if plan.withdrawn and not plan.returned else plan.checkers:
            if obstacle := reactions.may_check(self._authorise(checker) or {}, plan.author):
                raise Ended(f"{checker} cannot review, for {obstacle}")

    def _sign_in(self) -> Any:
        answer = self.client.authenticate(self.plan.author, self.plan.login_token or "")
        if not self._note("authenticate", self.plan.author, answer, reactions.authenticate(answer)):
            raise Ended(f"{self.plan.author} is not signed in")
        return answer.value

    def _authorise(self, user: str) -> Any:
        answer = self.client.authorise(user)
        return answer.value if self._note("authorise", user, answer, reactions.authorise(answer)) else None

    def _request(self) -> None:
        plan = self.plan
        first, second = plan.checkers
        if plan.withdrawn and not plan.returned:
            self._tell("withdrawn", plan.author)
            return
        self._tell("submitted", plan.author)
        if plan.returned:
            self._tell("partially_reviewed", first)
            self._tell("returned", first)
            self._tell("withdrawn" if plan.withdrawn else "resubmitted", plan.author)
        if plan.withdrawn:
            return
        self._tell("partially_reviewed", first)
        self._tell("reviewed", second)
        if plan.rejected:
            self._tell("rejected", first)
            return
        self._release(first)

    def _release(self, checker: str) -> None:
        plan = self.plan
        answer = self.client.create_release(plan.workspace, plan.request_id, plan.files, checker)
        if not self._note("create release", checker, answer, reactions.create(answer)):
            raise Ended("no file is sent without a release")
        if isinstance(answer.value, dict):
            self.release_url = str(answer.value.get("release_url") or "") or None
        number = len(plan.files)
        files = "1 file" if number == 1 else f"{number} files"
        self._tell("approved", checker, [{"update": f"{files} will be uploaded"}])
        if missing := self._upload_all(checker):
            raise Ended(f"the request never becomes released: {len(missing)} of {files} did not arrive")
        if plan.files:
            # What a second try after a lost answer looks like.
            self._upload(plan.files[0], checker)
        self._tell("released", checker)

    def _upload_all(self, user: str) -> list[OutputFile]:
        """Upload one file after the other; those that did not arrive."""
        missing = [file for file in self.plan.files if not self._upload(file, user)]
        while missing and self.plan.retry_delay is not None:
            time.sleep(self.plan.retry_delay)
            self.failures -= len(missing)
            missing = [file for file in missing if not self._upload(file, user)]
        return missing

    def _upload(self, file: OutputFile, user: str) -> bool:
        answer = self.client.upload(self.plan.request_id, file, user)
        return self._note("upload", file.name, answer, reactions.upload(answer, file.name))

    def _tell(self, what: str, user: str, updates: list[dict[str, str]] | None = None) -> None:
        plan = self.plan
        event = Event(
            f"request_{what}", plan.workspace, plan.request_id, plan.author, user, updates, plan.checking
        )
        answer = self.client.tell(event)
        self._note(f"event: {what}", user, answer, reactions.event(answer))

    def _note(self, step: str, subject: str, answer: Answer, reaction: Reaction) -> bool:
        self.failures += not reaction.fine
        mark = " " if reaction.fine else "!"
        self.say(f"{mark} {step:<25} {subject:<32} {answer.status or '---'}  {reaction.words}")
        return reaction.fine
