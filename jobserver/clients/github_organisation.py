"""Repositories with their branches, by GraphQL: REST would need a call for each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from github.Requester import Requester

from jobserver.clients.github_errors import GitHubUnavailable

_MOST_PAGES = 50

_REPOSITORIES = """
query($org: String!, $after: String) { organization(login: $org) {
  repositories(first: 100, after: $after, orderBy: {field: NAME, direction: ASC}) {
    pageInfo { hasNextPage endCursor }
    nodes { name url isPrivate createdAt
      repositoryTopics(first: 100) { nodes { topic { name } } }
      refs(refPrefix: "refs/heads/", first: 100) { nodes { name } pageInfo { hasNextPage endCursor } } } } } }
"""
_BRANCHES = """
query($org: String!, $name: String!, $after: String) { repository(owner: $org, name: $name) {
  nameWithOwner refs(refPrefix: "refs/heads/", first: 100, after: $after) {
    nodes { name } pageInfo { hasNextPage endCursor } } } }
"""


# Of a repository without a commit.
_NOTHING: dict[str, Any] = {"nodes": [], "pageInfo": {"hasNextPage": False}}


@dataclass(frozen=True)
class Repository:
    """One of an organisation's repositories, with all its branches."""

    name: str
    url: str
    private: bool
    created_at: datetime
    topics: tuple[str, ...]
    branches: tuple[str, ...]


@dataclass(frozen=True)
class Branches:
    """All branches of one repository. ``full_name``: what GitHub calls it now, owner and name."""

    full_name: str
    names: tuple[str, ...]


def repository_branches(requester: Requester, owner: str, name: str) -> Branches:
    """Every branch by name, every page to its end. Raises what PyGithub raises."""
    names: list[str] = []
    full_name = ""
    for found, page in _answers(requester, _BRANCHES, {"org": owner, "name": name}, ("repository", "refs")):
        full_name = found["nameWithOwner"]
        names += [each["name"] for each in page["nodes"]]
    if not all(isinstance(each, str) for each in (full_name, *names)):
        raise GitHubUnavailable("the answer does not list branches")
    return Branches(full_name, tuple(names))


def organisation_repositories(requester: Requester, org: str) -> Iterator[Repository]:
    """Every repository by name, every page to its end. Raises what PyGithub raises."""
    for node in _pages(requester, _REPOSITORIES, {"org": org}, ("organization", "repositories")):
        yield Repository(
            name=node["name"],
            url=node["url"],
            private=node["isPrivate"],
            created_at=datetime.fromisoformat(node["createdAt"]),
            topics=tuple(each["topic"]["name"] for each in node["repositoryTopics"]["nodes"]),
            branches=tuple(_branches(requester, org, node)),
        )


def _branches(requester: Requester, org: str, node: dict[str, Any]) -> Iterator[str]:
    refs = node["refs"] or _NOTHING
    yield from (each["name"] for each in refs["nodes"])
    if refs["pageInfo"]["hasNextPage"]:
        variables = {"org": org, "name": node["name"], "after": refs["pageInfo"]["endCursor"]}
        yield from (each["name"] for each in _pages(requester, _BRANCHES, variables, ("repository", "refs")))


def _pages(
    requester: Requester, query: str, variables: dict[str, Any], place: tuple[str, str]
) -> Iterator[dict[str, Any]]:
    for _, page in _answers(requester, query, variables, place):
        yield from page["nodes"]


def _answers(
    requester: Requester, query: str, variables: dict[str, Any], place: tuple[str, str]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What has the list, with each page of the list in turn."""
    for _ in range(_MOST_PAGES):
        _, answer = requester.graphql_query(query, variables)
        found = answer["data"][place[0]]
        page = found[place[1]] or _NOTHING
        yield found, page
        if not page["pageInfo"]["hasNextPage"]:
            return
        variables = {**variables, "after": page["pageInfo"]["endCursor"]}
    raise GitHubUnavailable(f"a list has more than {_MOST_PAGES} pages")
