"""Repositories by owner and name, and by the quoted addresses that lead to them (spec: pages 20)."""

import re
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from pyramid.request import Request

from jobserver import models
from jobserver.queries import repos
from jobserver.resources.base import Resource
from jobserver.security import acl

# https:/github.com/owner/name
MOST_PARTS = 4
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


class Repos(Resource):
    """``/repo/``: repositories by owner and name; anything else there is a quoted address."""

    def __getitem__(self, name: str) -> "RepoOwner | OldRepo":
        kind = RepoOwner if _OWNER.fullmatch(name) else OldRepo
        return kind(self.request, name, self)


class RepoOwner(Resource):
    """``/repo/<owner>/``: no page of its own."""

    def __getitem__(self, name: str) -> "RepoResource":
        address = repos.address_of(f"https://github.com/{self.__name__}/{name}")
        if address is None:
            raise KeyError(name)
        return RepoResource(self.request, name, self, address)


class RepoResource(Resource):
    """``/repo/<owner>/<name>/``: a repository, whether or not anything is known of it."""

    def __init__(self, request: Request, name: str, parent: Resource, address: repos.Address) -> None:
        super().__init__(request, name, parent)
        self.address = address
        self.known = repos.known(request.db, address)

    @property
    def repo(self) -> models.Repo:
        """The repository, for pages that only members of its projects reach."""
        if self.known is None:
            raise LookupError(self.address.url)
        return self.known.repo

    @cached_property
    def __acl__(self) -> list[Any]:  # type: ignore[override]
        return acl.repo(self.known.project_ids) if self.known else []


class QuotedAddress(Resource):
    """A repository's whole address within ours: quoted twice; once or not at all where a proxy undid it."""

    def __init__(self, request: Request, name: str, parent: Resource) -> None:
        super().__init__(request, name, parent)
        before = f"{parent.text}/" if isinstance(parent, QuotedAddress) else ""
        self.text: str = before + name

    def __getitem__(self, name: str) -> "QuotedAddress":
        if self.text.count("/") + 1 >= MOST_PARTS:
            raise KeyError(name)
        return type(self)(self.request, name, self)

    @property
    def address(self) -> repos.Address | None:
        """The repository it names; None if it names none."""
        return repos.address_of(unquote(self.text))


class OldRepo(QuotedAddress):
    """``/repo/<quoted address>/``."""


class OldSignOff(QuotedAddress):
    """``/publish-repo/<quoted address>/``."""


class OldSignOffs(Resource):
    """``/publish-repo/``."""

    def __getitem__(self, name: str) -> OldSignOff:
        return OldSignOff(self.request, name, self)
