"""The exchanges recorded from a running controller, and how an answer is compared with a recorded one.

What a controller makes up (identifiers, times, trace ids) is compared by its form; everything else has to be
the same. Jobs may come in any order.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

RECORDINGS = Path(__file__).parent / "rap-examples.json"
TIME_LIMIT = 20

_SECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
_MICROSECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z"
FORMS = {
    "identifier": r"[a-z2-7]{16}",
    "created_at": _SECONDS,
    "updated_at": _SECONDS,
    "started_at": _SECONDS,
    "completed_at": _SECONDS,
    "last_seen": _MICROSECONDS,
    "since": _MICROSECONDS,
    "traceparent": r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}",
}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: the body parsed if it is JSON, else as text."""

    status: int
    content_type: str
    body: Any
    allow: str | None = None
    location: str | None = None


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its answer. ``body`` is an object to be sent as JSON, or text to be sent as it is."""

    name: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    answer: Answer


def recorded() -> list[Exchange]:
    """All exchanges, in the order in which they happened."""
    return [_exchange(entry) for entry in json.loads(RECORDINGS.read_text())]


def by_name(name: str) -> Exchange:
    """The exchange of that name."""
    return next(exchange for exchange in recorded() if exchange.name == name)


def _exchange(entry: dict[str, Any]) -> Exchange:
    request, response = entry["request"], entry["response"]
    answer = Answer(
        response["status"],
        response["content_type"],
        response["body"],
        response.get("allow"),
        response.get("location"),
    )
    return Exchange(
        entry["name"], request["method"], request["path"], request["headers"], request["body"], answer
    )


def translated(value: Any, words: Mapping[str, str]) -> Any:
    """The value with some strings in it (such as commit ids) replaced by others."""
    text = json.dumps(value)
    for old, new in words.items():
        text = text.replace(old, new)
    return json.loads(text)


def send(base_url: str, exchange: Exchange) -> Answer:
    """Sends the recorded request, headers and all, and returns the answer. Redirects are not followed."""
    body = exchange.body
    content = body if isinstance(body, str) or body is None else json.dumps(body)
    connection = HTTPConnection(urlsplit(base_url).netloc, timeout=TIME_LIMIT)
    try:
        connection.putrequest(exchange.method, exchange.path, skip_host="Host" in exchange.headers)
        for name, value in exchange.headers.items():
            connection.putheader(name, value)
        if content is not None:
            connection.putheader("Content-Length", str(len(content.encode())))
        connection.endheaders(content.encode() if content is not None else None)
        response = connection.getresponse()
        text = response.read().decode()
        kind = response.getheader("Content-Type", "")
        parsed = json.loads(text) if kind.startswith("application/json") else text
        return Answer(
            response.status, kind, parsed, response.getheader("Allow"), response.getheader("Location")
        )
    finally:
        connection.close()


def differences(expected: Answer, actual: Answer) -> list[str]:
    """One line for each place where the answers differ in more than what is made up."""
    found = [
        f"{name}: expected {getattr(expected, name)!r}, got {getattr(actual, name)!r}"
        for name in ("status", "content_type", "allow", "location")
        if getattr(expected, name) != getattr(actual, name)
    ]
    return found + _differences(_ordered(expected.body), _ordered(actual.body), "body", "")


def _ordered(body: Any) -> Any:
    if not isinstance(body, dict) or "jobs" not in body:
        return body
    jobs = sorted(body["jobs"], key=lambda job: (job["rap_id"], job["action"]))
    return {**body, "jobs": jobs, "unrecognised_rap_ids": sorted(body["unrecognised_rap_ids"])}


def _differences(expected: Any, actual: Any, place: str, name: str) -> list[str]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = [f"{place}: {key} is missing" for key in expected.keys() - actual.keys()]
        found += [f"{place}: {key} is not expected" for key in actual.keys() - expected.keys()]
        for key in expected.keys() & actual.keys():
            found += _differences(expected[key], actual[key], f"{place}.{key}", key)
        return found
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual, strict=True))
        return [line for n, (one, other) in pairs for line in _differences(one, other, f"{place}[{n}]", name)]
    if name in FORMS and isinstance(expected, str) and isinstance(actual, str):
        alike = re.fullmatch(FORMS[name], actual) is not None
        return [] if alike else [f"{place}: {actual!r} has not the form of {expected!r}"]
    return [] if expected == actual else [f"{place}: expected {expected!r}, got {actual!r}"]
