"""An example of each request, as one could type it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]
# What is to be typed in place of a secret, by security scheme.
_SECRETS = {
    "backendToken": ("--header", "Authorization: <token of the backend>"),
    "osUser": ("--header", "OS-User: checker-1"),
    "personalToken": ("--header", "Authorization: <username>:<token>"),
    "session": ("--cookie", "__Host-sessionid=<session>; __Host-csrftoken=<forgery token>"),
    "csrfToken": ("--header", "X-CSRFToken: <forgery token>"),
}


def as_curl(method: str, url: str, described: Node, resolved: Callable[[Node], Node]) -> str:
    """The operation's request for ``curl``, with the examples that its description gives."""
    options = [("--request", method.upper())] if method != "get" else []
    examples = {each["name"]: _example(each, resolved) for each in described["parameters"]}
    places = {each["name"]: each["in"] for each in described["parameters"]}
    url = re.sub(r"{(\w+)}", lambda name: str(examples[name[1]]), url)
    query = "&".join(
        f"{name}={value}" for name, value in examples.items() if places[name] == "query" and value
    )
    options += [_SECRETS[name] for name in next((way for way in described["security"] if way), {})]
    options += [("--header", f"{name}: {examples[name]}") for name in examples if places[name] == "header"]
    options += _body(described, resolved)
    address = f"{url}?{query}" if query else url
    lines = [f"curl '{address}'", *(f"  {name} '{value}'" for name, value in options)]
    return " \\\n".join(lines)


def _body(described: Node, resolved: Callable[[Node], Node]) -> Iterator[tuple[str, str]]:
    content = described.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        yield "--header", "Content-Type: application/json"
        described = content["application/json"]
        sample = described.get("example") or _sample(described["schema"], resolved)
        yield "--data", json.dumps(sample, indent=1)
    elif content:
        yield "--data-binary", "@output/summary.csv"


def _sample(schema: Node, resolved: Callable[[Node], Node]) -> Any:
    """An example of a body."""
    schema = resolved(schema)
    if schema.get("type") == "array":
        return [_sample(schema["items"], resolved)]
    return schema["example"]


def _example(parameter: Node, resolved: Callable[[Node], Node]) -> Any:
    return parameter.get("example", resolved(parameter["schema"]).get("example", ""))
