"""The simulated GitHub's GraphQL: queries about organisations, repositories and their branches.

Knows the language as far as plain queries go: fields, aliases, arguments and variables, no fragments.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from simulator.github import PUBLIC_URL, api, shapes
from simulator.github.http import API_PATH, GitHubError, json_body, person_of, respond, token
from simulator.repositories import Repository

_TOKEN = re.compile(r'\s*(?:#[^\n]*\n\s*)*("(?:[^"\\]|\\.)*"|[$\w.-]+|[{}()\[\]:=!@]|,|$)')

Node = dict[str, Any]


class QueryWrong(Exception):
    """The query cannot be understood, or asks for something that does not exist."""


@dataclass(frozen=True)
class Field:
    """One field asked for: the name it is to have in the answer, its arguments, and what is wanted of it."""

    name: str
    shown_as: str
    arguments: dict[str, Any]
    fields: list["Field"]


class Parser:
    """Reads one query."""

    def __init__(self, text: str, variables: dict[str, Any]) -> None:
        self._words = [word for word in self._split(text) if word not in {"", ","}]
        self._variables = variables

    def _split(self, text: str) -> list[str]:
        words, at = [], 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or match.end() == at:
                raise QueryWrong(f"Parse error near {text[at : at + 20]!r}")
            words.append(match[1])
            at = match.end()
        return words

    def query(self) -> list[Field]:
        """The fields of the only operation."""
        if self._next_is("query"):
            while self._peek() not in {"(", "{"}:
                self._take()
            if self._next_is("("):
                # Types are not checked, defaults are not needed: variables that were not sent are null.
                while self._take() != ")":
                    pass
        fields = self._selection()
        if self._words:
            raise QueryWrong(f"Parse error near {self._words[0]!r}")
        return fields

    def _peek(self) -> str:
        if not self._words:
            raise QueryWrong("Parse error: the query ends too early")
        return self._words[0]

    def _take(self, expected: str | None = None) -> str:
        word = self._peek()
        if expected is not None and word != expected:
            raise QueryWrong(f"Parse error: expected {expected!r}, found {word!r}")
        return self._words.pop(0)

    def _next_is(self, word: str) -> bool:
        found = bool(self._words) and self._words[0] == word
        if found:
            self._words.pop(0)
        return found

    def _selection(self) -> list[Field]:
        self._take("{")
        fields = []
        while not self._next_is("}"):
            fields.append(self._field())
        return fields

    def _field(self) -> Field:
        shown_as = name = self._take()
        if self._next_is(":"):
            name = self._take()
        arguments = {}
        if self._next_is("("):
            while not self._next_is(")"):
                argument = self._take()
                self._take(":")
                arguments[argument] = self._value()
        fields = self._selection() if self._words and self._words[0] == "{" else []
        return Field(name, shown_as, arguments, fields)

    def _value(self) -> Any:
        word = self._take()
        if word == "{":
            entries = {}
            while not self._next_is("}"):
                name = self._take()
                self._take(":")
                entries[name] = self._value()
            return entries
        if word == "[":
            items = []
            while not self._next_is("]"):
                items.append(self._value())
            return items
        if word.startswith("$"):
            return self._variables.get(word[1:])
        try:
            return json.loads(word)
        except ValueError:
            return word


def answer(value: Any, fields: list[Field]) -> Any:
    """What the fields ask of a node; a node's values may be functions of the arguments."""
    if isinstance(value, list):
        return [answer(item, fields) for item in value]
    if value is None or not isinstance(value, dict):
        return value
    if not fields:
        raise QueryWrong("Objects must have selections")
    answered = {}
    for field in fields:
        if field.name not in value:
            raise QueryWrong(f"Field '{field.name}' doesn't exist on type '{value['__typename']}'")
        found = value[field.name]
        answered[field.shown_as] = answer(
            found(**field.arguments) if callable(found) else found, field.fields
        )
    return answered


def connection(items: list[Node]) -> Callable[..., Node]:
    """A list that is asked for page by page."""

    def page(first: int = 100, after: str | None = None, **_others: Any) -> Node:
        start = int(after) if after else 0
        end = start + min(first, 100)
        info = {"__typename": "PageInfo", "hasNextPage": end < len(items), "endCursor": str(end)}
        shown = {"nodes": items[start:end], "pageInfo": info, "totalCount": len(items)}
        return {"__typename": "Connection", **shown}

    return page


def _repository(found: Repository) -> Node:
    plan = found.plan
    heads = [_ref(name, sha) for name, sha in found.git.branches().items()]
    tags = [_ref(name, sha) for name, sha in found.git.tags().items()]
    topics = [
        {"__typename": "RepositoryTopic", "topic": {"__typename": "Topic", "name": name}}
        for name in plan.topics
    ]
    return {
        "__typename": "Repository",
        "id": shapes.node_id("Repository", found.number),
        "name": plan.short_name,
        "nameWithOwner": plan.name,
        "url": f"{PUBLIC_URL}/{plan.name}",
        "isPrivate": plan.private,
        "isArchived": False,
        "description": plan.description,
        "createdAt": shapes.iso(plan.created_at),
        "defaultBranchRef": next((ref for ref in heads if ref["name"] == plan.default_branch), None),
        "repositoryTopics": connection(topics),
        "refs": lambda refPrefix, **paging: connection(tags if "tags" in refPrefix else heads)(**paging),  # noqa: N803
    }


def _ref(name: str, sha: str) -> Node:
    return {"__typename": "Ref", "name": name, "target": {"__typename": "Commit", "oid": sha}}


def _organisation(request: Request, login: str) -> Node | None:
    found = sorted(request.world.repositories.of(login), key=lambda each: each.plan.short_name.lower())
    if not found:
        return None
    repositories = connection([_repository(each) for each in found])
    url = f"{PUBLIC_URL}/{login}"
    return {
        "__typename": "Organization",
        "login": login,
        "name": login,
        "url": url,
        "repositories": repositories,
    }


def graphql(request: Request) -> Response:
    """Answers a query. As at GitHub, its faults have status 200 and a list ``errors``."""
    sent = token(request)
    if not sent:
        raise GitHubError(401, "This endpoint requires you to be authenticated.")

    def repository(owner: str, name: str, **_others: Any) -> Node | None:
        found = request.world.repositories.find(owner, name)
        return _repository(found) if found else None

    person = person_of(request, sent)
    root: Node = {
        "__typename": "Query",
        "viewer": {"__typename": "User", "login": person.login if person else "job-server-bot"},
        "organization": lambda login: _organisation(request, login),
        "repository": repository,
    }
    body = json_body(request)
    try:
        fields = Parser(str(body.get("query", "")), body.get("variables") or {}).query()
        data = answer(root, fields)
    except (QueryWrong, TypeError) as fault:
        return respond({"errors": [{"message": str(fault)}]})
    errors = [
        {
            "type": "NOT_FOUND",
            "path": [field.shown_as],
            "message": f"Could not resolve {field.name} {field.arguments}.",
        }
        for field in fields
        if data[field.shown_as] is None
    ]
    return respond({"data": data, **({"errors": errors} if errors else {})})


def includeme(config: Configurator) -> None:
    """Adds the one address."""
    config.add_route("github-api:graphql", f"{API_PATH}/graphql")
    config.add_view(api.answered(graphql, "POST"), route_name="github-api:graphql")
