"""The description of the API in the pieces that its page shows."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup

from jobserver.openapi import document
from jobserver.openapi.requests import as_curl
from jobserver.openapi.words import words

METHODS = ("get", "post", "put", "patch", "delete")
_KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "object",
    "null": "null",
}
Node = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """A parameter, a header, or a field of a body by its path, such as ``files[].name``."""

    name: str
    kind: str
    words: Markup
    is_required: bool = False
    place: str = ""


@dataclass(frozen=True)
class Example:
    """Something that could be sent or answered."""

    title: str
    text: str


@dataclass(frozen=True)
class Answer:
    """What an operation may answer with."""

    status: str
    words: Markup
    headers: tuple[Field, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Operation:
    """A method at an address."""

    id: str
    method: str
    path: str
    summary: str
    words: Markup
    callers: Markup
    repeat: Markup
    permission: str
    credentials: tuple[str, ...]
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    body_words: Markup
    request: str
    answers: tuple[Answer, ...]
    answer_fields: tuple[Field, ...]
    # The statuses that every operation may answer with, which are described once.
    common: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """A part of the page: prose, or prose and operations."""

    id: str
    title: str
    words: Markup
    operations: tuple[Operation, ...] = ()


def resolved(node: Node) -> Node:
    """The node, with what it refers to in place of the reference."""
    while "$ref" in node:
        target: Any = document()
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def operations() -> Iterator[tuple[str, str, Node]]:
    """Method, path and description of every operation; the parameters of the path are among its own."""
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                own = item[method]
                parameters = [*item.get("parameters", ()), *own.get("parameters", ())]
                yield method, path, {**own, "parameters": [resolved(each) for each in parameters]}


@cache
def sections(base_url: str) -> tuple[Section, ...]:
    """The page, in order. ``base_url``: the address of this site, for the examples."""
    described = document()
    server = base_url.rstrip("/") + described["servers"][0]["url"]
    prose = [
        Section(f"about-{number}", each["title"], words(each["description"]))
        for number, each in enumerate(described["x-sections"], 1)
    ]
    return (*prose, *(_section(tag, server) for tag in described["tags"]))


def common_answers() -> tuple[Answer, ...]:
    """What every operation may answer with besides its own."""
    return tuple(_answer(status, each) for status, each in _common().items())


def _common() -> dict[str, Node]:
    shared = document()["components"]["responses"]
    return {
        "400": shared["Unreadable"],
        "406": shared["NotAcceptable"],
        "500": shared["Failed"],
        "503": shared["Unavailable"],
    }


def _section(tag: Node, server: str) -> Section:
    found = tuple(
        _operation(method, path, each, server)
        for method, path, each in operations()
        if tag["name"] in each["tags"]
    )
    return Section(tag["name"], tag["x-title"], words(tag["description"]), found)


def _operation(method: str, path: str, described: Node, server: str) -> Operation:
    answers = {status: resolved(each) for status, each in described["responses"].items()}
    common = {status for status, each in _common().items() if answers.get(status) == each}
    content = described.get("requestBody", {}).get("content", {})
    return Operation(
        id=described["operationId"],
        method=method.upper(),
        path=path,
        summary=described["summary"],
        words=words(described["description"]),
        callers=words(described["x-callers"]),
        repeat=words(described["x-repeat"]),
        permission=described["x-permission"],
        credentials=tuple(_credentials(described["security"])),
        parameters=tuple(
            Field(each["name"], _kind(each["schema"]), _words(each), each.get("required", False), each["in"])
            for each in described["parameters"]
        ),
        body=tuple(_fields(next(iter(content.values()))["schema"])) if content else (),
        body_words=_words(described.get("requestBody", {})),
        request=as_curl(method, server + path, described, resolved),
        answers=tuple(_answer(status, answers[status]) for status in sorted(answers) if status not in common),
        answer_fields=tuple(_answer_fields(answers)),
        common=tuple(sorted(common)),
    )


def _credentials(security: list[Node]) -> Iterator[str]:
    """Each way to prove who calls, as names of headers and cookies."""
    schemes = document()["components"]["securitySchemes"]
    for way in security:
        yield (
            " and ".join(
                f"{schemes[name]['description'].rstrip('.')} ({schemes[name]['in']} {schemes[name]['name']})"
                for name in way
            )
            or "nothing"
        )


def _answer(status: str, described: Node) -> Answer:
    headers = tuple(
        Field(name, _kind(each["schema"]), _words(each), each.get("required", False))
        for name, each in described.get("headers", {}).items()
    )
    content = described.get("content", {}).get("application/json")
    return Answer(
        status, words(described["description"]), headers, tuple(_examples(content) if content else ())
    )


def _answer_fields(answers: Mapping[str, Node]) -> Iterator[Field]:
    """The fields of the answer when all went well."""
    for status in ("200", "201"):
        content = answers.get(status, {}).get("content", {}).get("application/json")
        if content:
            yield from _fields(content["schema"])


def _examples(content: Node) -> Iterator[Example]:
    if "examples" in content:
        for each in content["examples"].values():
            yield Example(each.get("summary", ""), as_text(each["value"]))
        return
    example = content.get("example", resolved(content["schema"]).get("example"))
    if example is not None:
        yield Example("", as_text(example))


def as_text(value: Any) -> str:
    """The JSON value for people: in lines if it is long."""
    short = json.dumps(value, ensure_ascii=False)
    return short if len(short) < 90 else json.dumps(value, ensure_ascii=False, indent=2)


def _fields(schema: Node, prefix: str = "") -> Iterator[Field]:
    """The fields of an object, and those within it, by path."""
    schema = resolved(schema)
    if "items" in schema:
        yield from _fields(schema["items"], f"{prefix}[]")
        return
    required = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        yield Field(path, _kind(each), _words(each), name in required)
        yield from _fields(each, path)
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        yield from _fields(others, f"{prefix}.<name>" if prefix else "<name>")


def _kind(schema: Node) -> str:
    """What a value is, in a few words."""
    schema = resolved(schema)
    if "const" in schema:
        return f"“{schema['const']}”"
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if schema.get("format") == "date-time":
        return "time"
    named = schema.get("type", "anything")
    return " or ".join(_KINDS.get(each, each) for each in ([named] if isinstance(named, str) else named))


def _words(node: Node) -> Markup:
    return words(resolved(node).get("description", ""))
