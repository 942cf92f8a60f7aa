"""Whether an answer of the JSON API is one that its description allows."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from jobserver.openapi import document
from jobserver.openapi.reading import METHODS, resolved

ROOT = "/api/v2"
JSON = "application/json"
# The description itself, which is everybody's.
PUBLIC = ("/docs/openapi.json",)
Node = Mapping[str, Any]


def complaints(method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
    """What is wrong with the answer, a line each. ``path`` is decoded, without the query."""
    if not path.startswith(f"{ROOT}/"):
        return []
    template = _template(path.removeprefix(ROOT))
    kind = headers.get("Content-Type", "").partition(";")[0]
    described = document()["paths"].get(template, {})
    wanted = "get" if method == "HEAD" else method.lower()
    if template is None or wanted not in described:
        return list(_elsewhere(template, method, status, headers, kind, body))
    answer = described[wanted]["responses"].get(str(status))
    place = f"{method} {template} → {status}"
    if answer is None:
        return [f"{place}: the status is not described: {body[:300]!r}"]
    answer = resolved(answer)
    found = list(_headers(template, wanted, str(status), answer, headers))
    kept_by = headers.get("Cache-Control", "")
    if kind == JSON and template not in PUBLIC and "no-store" not in kept_by and "private" not in kept_by:
        found.append("it may be kept by those that it passes")
    if method != "HEAD":
        found += _content(template, wanted, str(status), answer, kind, body)
    return [f"{place}: {each}" for each in found]


def _elsewhere(
    template: str | None, method: str, status: int, headers: Mapping[str, str], kind: str, body: bytes
) -> Iterator[str]:
    """Addresses and methods that are not described: a page for people, or JSON that says what is wrong."""
    if method == "OPTIONS" and status == 200 and template is not None:
        yield from _errors(schema_validator("Options"), body)
        return
    if status < 300:
        yield f"{method} {template or 'at an address that is not described'} → {status}: it is not described"
    if status >= 400 and kind == JSON and method != "HEAD":
        yield from _errors(schema_validator("Detail"), body)
    if status == 405 and "Allow" not in headers:
        yield "405 does not say what is allowed"


def _headers(path: str, method: str, status: str, answer: Node, headers: Mapping[str, str]) -> Iterator[str]:
    for name, described in answer.get("headers", {}).items():
        value = headers.get(name)
        if value is None:
            if described.get("required"):
                yield f"the header {name} is missing"
            continue
        for error in _validator((path, method, status, "headers", name)).iter_errors(value):
            yield f"{name}: {error.message}"


def _content(path: str, method: str, status: str, answer: Node, kind: str, body: bytes) -> Iterator[str]:
    content = answer.get("content", {})
    if not content:
        if body or kind:
            yield f"should be empty, is {kind or 'without a type'}: {body[:200]!r}"
    elif kind not in content and "*/*" not in content:
        yield f"the type {kind} is not described: {body[:200]!r}"
    elif kind == JSON and kind in content:
        yield from _errors(_validator((path, method, status, "content", kind)), body)


def _errors(validator: Any, body: bytes) -> Iterator[str]:
    try:
        value = json.loads(body)
    except ValueError as error:
        yield f"not JSON: {error}: {body[:200]!r}"
        return
    for error in validator.iter_errors(value):
        yield f"{'/'.join(map(str, error.instance_path))}: {error.message[:500]}"


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in document()["paths"]
    ]


def _template(path: str) -> str | None:
    """The described address that this is one of."""
    return next((template for pattern, template in _templates() if pattern.fullmatch(path)), None)


@cache
def _validator(place: tuple[str, ...]) -> Any:
    path, method, status, part, name = place
    answer = resolved(document()["paths"][path][method]["responses"][status])
    return _compiled(answer[part][name]["schema"])


@cache
def schema_validator(name: str) -> Any:
    """Checks values against a schema of the description."""
    return _compiled({"$ref": f"#/components/schemas/{name}"})


def _compiled(schema: Node) -> Any:
    # References within it are from the root of the document.
    whole = {"allOf": [schema], "components": document()["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def examples() -> Iterator[tuple[str, Node, Any]]:
    """Every example of the description: where it is, its schema, its value."""
    shared = document()["components"]
    for name, schema in shared["schemas"].items():
        if "example" in schema:
            yield name, schema, schema["example"]
    for name, answer in shared["responses"].items():
        yield from _in_content(name, answer)
    for path, item in document()["paths"].items():
        for method in set(item) & set(METHODS):
            operation = item[method]
            yield from _in_content(f"{method} {path}", operation.get("requestBody", {}))
            for status, answer in operation["responses"].items():
                yield from _in_content(f"{method} {path} → {status}", resolved(answer))
            for parameter in map(resolved, [*item.get("parameters", ()), *operation.get("parameters", ())]):
                if "example" in parameter:
                    yield f"{method} {path} {parameter['name']}", parameter["schema"], parameter["example"]


def _in_content(place: str, node: Node) -> Iterator[tuple[str, Node, Any]]:
    for described in node.get("content", {}).values():
        if "example" in described:
            yield place, described["schema"], described["example"]
        for example in described.get("examples", {}).values():
            yield place, described["schema"], example["value"]


def errors_of(schema: Node, value: Any) -> list[str]:
    """What is wrong with the value."""
    return [error.message for error in _compiled(schema).iter_errors(value)]
