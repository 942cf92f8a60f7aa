"""What a real Airlock sent, how it is sent again, and how the answers are compared."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jobserver.models.release import ULID
from tests.web.api import conforming

RECORDINGS = Path(__file__).with_name("airlock-requests.json")
TIME_LIMIT = 20
# Texts that are ours to word.
FREE = {"detail", "message"}
# Words that Airlock reads.
KEPT = "has already been uploaded"


@dataclass(frozen=True)
class Answer:
    """Status, headers, and the body: parsed JSON, or text."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Exchange:
    """A request as it was recorded, and the answer that is wanted."""

    name: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: str
    answer: Answer

    def send(self, base_url: str) -> Answer:
        """Send it as Airlock did: header bytes in latin-1, a body without a length in chunks."""
        connection = HTTPConnection(urlsplit(base_url).netloc, timeout=TIME_LIMIT)
        content = self.body.encode()
        connection.putrequest(self.method, self.path, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value.encode("latin-1"))
        if self.headers.get("Transfer-Encoding") == "chunked":
            content = (b"%x\r\n%b\r\n" % (len(content), content) if content else b"") + b"0\r\n\r\n"
        elif "Content-Length" not in self.headers:
            connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content)
        answer = connection.getresponse()
        data, headers = answer.read(), dict(answer.getheaders())
        connection.close()
        wrong = conforming.complaints(self.method, self.path, answer.status, headers, data)
        assert wrong == [], self.name
        is_json = headers.get("Content-Type") == "application/json"
        return Answer(answer.status, headers, json.loads(data) if is_json else data.decode())


def recorded() -> list[Exchange]:
    """All exchanges, in the order in which they happened, with the answers that we are to give.

    Where the recording says that Airlock merely survives the answer, or takes a better one as well, it is the
    better one.
    """
    found = json.loads(RECORDINGS.read_text(encoding="utf-8"))
    answers = {each["name"]: Answer(**each["response"]) for each in found}
    ok = Answer(201, {"Content-Type": "application/json"}, {"status": "ok"})
    stored = next(answer for name, answer in answers.items() if name == "upload: table")
    better = {
        "event: withdrawn before it was ever submitted": ok,
        "upload: empty file, sent chunked without Content-Length": stored,
        "tolerated: authenticate answers with the username alone": answers[found[0]["name"]],
        "tolerated: create release answers 200": _created("01M84Y2TV9MA1DGWD415ZP5S9M", "study-f"),
        "tolerated: event answers that notifying failed": ok,
        "tolerated: event answers 403": ok,
    }
    exchanges = []
    for each in found:
        wanted = [answer for name, answer in better.items() if each["name"].startswith(name)]
        answer = wanted[0] if wanted else answers[each["name"]]
        exchanges.append(Exchange(each["name"], **each["request"], answer=answer))
        better = {name: answer for name, answer in better.items() if not each["name"].startswith(name)}
    assert better == {}, "these were not recorded"
    return exchanges


def _created(release: str, workspace: str) -> Answer:
    headers = {"Content-Type": "application/json", "Release-Id": release}
    page = f"{{base}}/study/{workspace}/releases/{release}/"
    return Answer(201, headers, {"release_id": release, "release_url": page})


def differences(base_url: str, wanted: Answer, given: Answer) -> list[str]:
    """One line for each place where the answer is another for Airlock."""
    found = []
    if wanted.status != given.status:
        found.append(f"status: {given.status} instead of {wanted.status}: {given.body}")
    for name, value in wanted.headers.items():
        found += _header(base_url, name, value, given.headers)
    return found + list(_body(base_url, wanted.body, given.body, ""))


def _header(base_url: str, name: str, wanted: str, given: Mapping[str, str]) -> list[str]:
    value = given.get(name, "")
    if name == "File-Id":
        fits = re.fullmatch(ULID, value) is not None
    elif name == "Location":
        fits = value == f"{base_url}/api/v2/releases/file/{given.get('File-Id')}"
    else:
        fits = value == wanted
    return [] if fits else [f"{name}: {value!r} instead of {wanted!r}"]


def _body(base_url: str, wanted: Any, given: Any, key: str) -> Iterator[str]:
    if type(wanted) is not type(given):
        yield f"{key}: {given!r} instead of {wanted!r}"
    elif isinstance(wanted, dict):
        if list(wanted) != list(given):
            yield f"{key}: the keys {list(given)} instead of {list(wanted)}"
        for name in wanted.keys() & given.keys():
            yield from _body(base_url, wanted[name], given[name], name)
    elif key in FREE:
        if not given or (KEPT in wanted) != (KEPT in given) or (KEPT in wanted and wanted != given):
            yield f"{key}: {given!r} instead of {wanted!r}"
    elif key == "release_url":
        # The page's own address; ours begins with the organisation.
        end = wanted.removeprefix("{base}/study")
        if not given.startswith(f"{base_url}/") or not given.endswith(end):
            yield f"{key}: {given!r} instead of {wanted!r}"
    elif wanted != given:
        yield f"{key}: {given!r} instead of {wanted!r}"
