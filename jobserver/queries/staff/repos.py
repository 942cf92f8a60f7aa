"""Repositories, as staff look for them (spec: staff 10.1). What GitHub said is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from jobserver.models import Org, ProjectCollaboration, Repo, Workspace
from jobserver.queries.staff.listing import Filter, Option, Sort, StaffList, contains


@dataclass(frozen=True)
class RepoRow:
    """A repository in the list. ``is_private`` is None where GitHub has not said."""

    id: int
    url: str
    has_github_outputs: bool
    is_private: bool | None
    check_failure: str
    checked_at: datetime | None
    researcher_signed_off_at: datetime | None
    internal_signed_off_at: datetime | None
    workspaces: int

    @property
    def path(self) -> tuple[str, str]:
        """Owner and name."""
        owner, name = self.url.split("/")[3:5]
        return owner, name

    @property
    def sign_off(self) -> str:
        """How far it has been signed off: a name of :data:`SIGN_OFFS`."""
        return state_of(self)


def state_of(repo: Any) -> str:
    """``internal``, ``researcher`` or ``none`` (spec: domain 3.10)."""
    if repo.internal_signed_off_at is not None:
        return "internal"
    return "researcher" if repo.researcher_signed_off_at is not None else "none"


Rules = Mapping[str, tuple[str, ColumnElement[bool]]]
OUTPUTS: Rules = {
    "yes": ("Yes", Repo.has_github_outputs.is_(True)),
    "no": ("No", Repo.has_github_outputs.is_(False)),
}
PRIVACY: Rules = {
    "private": ("Private", Repo.is_private.is_(True)),
    "public": ("Public", Repo.is_private.is_(False)),
    "unknown": ("Unknown", Repo.is_private.is_(None)),
}
SIGN_OFFS: Rules = {
    "none": (
        "Not signed off",
        and_(Repo.internal_signed_off_at.is_(None), Repo.researcher_signed_off_at.is_(None)),
    ),
    "researcher": (
        "By a researcher",
        and_(Repo.internal_signed_off_at.is_(None), Repo.researcher_signed_off_at.is_not(None)),
    ),
    "internal": ("By staff", Repo.internal_signed_off_at.is_not(None)),
}


def by_rules(name: str, label: str, rules: Rules, *, counted: bool = False) -> Filter:
    """A filter of repositories that offers these rules; ``counted``: with how many each lets through."""

    def condition(values: Sequence[str]) -> ColumnElement[bool]:
        return or_(*[rules[value][1] for value in values if value in rules])

    def options(db: Session) -> list[Option]:
        numbers: Sequence[int | None] = [None] * len(rules)
        if counted:
            counts = [func.count().filter(rule) for _, rule in rules.values()]
            numbers = db.execute(select(*counts).select_from(Repo)).one()
        return [
            Option(value, words, number)
            for (value, (words, _)), number in zip(rules.items(), numbers, strict=True)
        ]

    return Filter(name, label, condition, options)


def _by_org(values: Sequence[str]) -> ColumnElement[bool]:
    chosen = select(Org.id).where(Org.slug.in_(values))
    return exists().where(
        Workspace.repo_id == Repo.id,
        ProjectCollaboration.project_id == Workspace.project_id,
        ProjectCollaboration.org_id.in_(chosen),
    )


def _orgs(db: Session) -> list[Option]:
    rows = db.execute(select(Org.slug, Org.name).order_by(func.lower(Org.name), Org.id))
    return [Option(*row) for row in rows]


# Those used by projects of an organisation: how many would take too long to count.
OF_ORG = Filter("orgs", "Organisation", _by_org, _orgs)


def url_contains(q: str) -> ColumnElement[bool]:
    """The search in every list of repositories."""
    return contains(q, Repo.url)


_WORKSPACES = select(func.count()).where(Workspace.repo_id == Repo.id).correlate(Repo).scalar_subquery()

REPOS: StaffList[RepoRow] = StaffList(
    noun=("repository", "repositories"),
    id_column=Repo.id,
    columns=select(
        Repo.id,
        Repo.url,
        Repo.has_github_outputs,
        Repo.is_private,
        Repo.check_failure,
        Repo.checked_at,
        Repo.researcher_signed_off_at,
        Repo.internal_signed_off_at,
        _WORKSPACES,
    ),
    make=RepoRow,
    sorts=(
        Sort("name", "Address", (func.lower(Repo.url),)),
        Sort("newest", "Newest first", (), descending=True),
    ),
    header=("url", "private", "outputs on GitHub", "sign-off", "workspaces", "GitHub asked", "failure"),
    cells=lambda row: (
        row.url,
        {True: "yes", False: "no", None: "unknown"}[row.is_private],
        "yes" if row.has_github_outputs else "no",
        row.sign_off,
        row.workspaces,
        row.checked_at,
        row.check_failure,
    ),
    search=url_contains,
    search_label="Part of the address",
    filters=(
        by_rules("has_outputs", "Outputs on GitHub", OUTPUTS, counted=True),
        OF_ORG,
        by_rules("privacy", "Privacy", PRIVACY, counted=True),
        by_rules("sign_off", "Sign-off", SIGN_OFFS, counted=True),
    ),
)
