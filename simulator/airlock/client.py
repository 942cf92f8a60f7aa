"""The five calls of Airlock, byte for byte as it makes them: no retry, redirects followed, one pool.

Spec: airlock 10. The only difference is that a silent server is given up after a while.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import requests

from simulator.airlock.files import OutputFile

# Airlock has no time limit of its own, but its pages are ended after half a minute. Uploads are not.
PAGE_SECONDS = 30
UPLOAD_SECONDS = 600


@dataclass(frozen=True)
class Answer:
    """What came back; ``status`` is None and ``text`` says why if nothing did."""

    status: int | None
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def value(self) -> Any:
        """The body as JSON; None if it is not."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


@dataclass(frozen=True)
class Event:
    """Something that happened to a release request; ``checking`` is Airlock's own owner and repository."""

    event_type: str
    workspace: str
    request: str
    request_author: str
    user: str
    updates: Sequence[Mapping[str, str]] | None = None
    checking: tuple[str, str] | None = None

    def body(self) -> dict[str, Any]:
        """What is sent of it."""
        body: dict[str, Any] = {
            "event_type": self.event_type,
            "workspace": self.workspace,
            "request": self.request,
            "request_author": self.request_author,
            "user": self.user,
            "updates": self.updates,
        }
        if self.checking:
            body["org"], body["repo"] = self.checking
        return body


class Client:
    """Airlock's side of the wire. ``server`` ends in ``/api/v2``; ``token`` is the backend's."""

    def __init__(self, server: str, token: str) -> None:
        self.server = server.rstrip("/")
        self._session = requests.Session()
        # A .netrc would replace the token.
        self._session.trust_env = False
        self._session.headers["Authorization"] = token

    def authenticate(self, user: str, words: str) -> Answer:
        """Sign somebody in with a Level 4 token."""
        return self._spaced("/releases/authenticate", {"user": user, "token": words}, {"Accept": "*/*"})

    def authorise(self, user: str) -> Answer:
        """Ask what somebody may see."""
        return self._spaced("/releases/authorise", {"user": user}, {"Accept": "*/*"})

    def tell(self, event: Event) -> Answer:
        """Tell what happened to a release request."""
        return self._spaced("/airlock/events/", event.body(), _on_behalf_of(event.user))

    def create_release(
        self, workspace: str, request_id: str, files: Sequence[OutputFile], user: str
    ) -> Answer:
        """Announce the files of a release."""
        metadata = {"tool": "airlock", "airlock_id": request_id}
        announced = [
            {
                "name": file.name,
                "url": file.name,
                "size": file.size,
                "sha256": file.sha256,
                "date": file.date,
                "metadata": metadata,
                "review": None,
            }
            for file in files
        ]
        body = {"files": announced, "metadata": metadata, "review": None}
        data = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        headers = {**_on_behalf_of(user), "Content-Type": "application/json"}
        return self._post(f"/releases/workspace/{workspace}", data, headers, PAGE_SECONDS)

    def upload(self, release_id: str, file: OutputFile, user: str) -> Answer:
        """Send the bytes of one file; an empty one goes out chunked and without a length."""
        headers = {
            **_on_behalf_of(user),
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f'attachment; filename="{file.name}"',
        }
        with file.open() as content:
            return self._post(f"/releases/release/{release_id}", content, headers, UPLOAD_SECONDS)

    def _spaced(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Answer:
        """JSON with a space after colon and comma, non-ASCII escaped."""
        data = json.dumps(body).encode()
        return self._post(path, data, {**headers, "Content-Type": "application/json"}, PAGE_SECONDS)

    def _post(self, path: str, data: bytes | IO[bytes], headers: dict[str, str], patience: float) -> Answer:
        try:
            answer = self._session.post(self.server + path, data=data, headers=headers, timeout=patience)
        except UnicodeEncodeError:
            # A header takes latin-1 only: Airlock can never send a name with anything else.
            return Answer(None, "the name has characters that a header cannot carry")
        except requests.Timeout:
            return Answer(None, f"no answer within {patience:g} seconds")
        except requests.ConnectionError as error:
            return Answer(None, f"cannot connect ({_innermost(error)})")
        except (requests.RequestException, ValueError) as error:
            return Answer(None, str(error))
        answer.encoding = "utf-8"
        return Answer(answer.status_code, answer.text, answer.headers)


def _on_behalf_of(user: str) -> dict[str, str]:
    return {"OS-User": user, "Accept": "application/json"}


def _innermost(error: BaseException) -> str:
    """The operating system's own words, without what the libraries wrap around them."""
    reason: Any = error.args[0] if error.args else error
    reason = getattr(reason, "reason", reason)
    words = str(reason.args[-1] if getattr(reason, "args", None) else reason)
    return words.rpartition(": ")[2] or type(error).__name__
