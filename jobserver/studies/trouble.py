"""Why a study could not be read: each cause by its own name, with what can be done about it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from jobserver.clients.github import (
    FileMissing,
    FileUnusable,
    GitHubError,
    GitHubUnauthorised,
    RateLimited,
    RefMissing,
    RepositoryMissing,
)
from jobserver.pipeline import Fault
from jobserver.studies.study import Place

FILES = ("codelists/codelists.txt", "codelists/codelists.json")
DEFINITION = "project.yaml"


class Trouble(StrEnum):
    """What stands in the way."""

    REPOSITORY_MISSING = "repository_missing"
    BRANCH_MISSING = "branch_missing"
    REF_MISSING = "ref_missing"
    NOT_ON_BRANCH = "not_on_branch"
    DEFINITION_MISSING = "definition_missing"
    FILE_UNUSABLE = "file_unusable"
    DEFINITION_INVALID = "definition_invalid"
    IMAGE_REFUSED = "image_refused"
    CODELISTS_MISSING = "codelists_missing"
    GITHUB_DOWN = "github_down"
    GITHUB_SLOW = "github_slow"
    GITHUB_LIMITED = "github_limited"
    GITHUB_REFUSES = "github_refuses"

    @property
    def is_ours(self) -> bool:
        """Whether it passes, or is mended, without the researcher changing the study."""
        return self.value.startswith("github_")


class StudyUnreadable(Exception):
    """The study cannot be used as it is; the text is a sentence for people.

    ``ref`` is what was asked for, ``sha`` the commit if it was found, ``faults`` those of ``project.yaml``,
    ``until`` when GitHub answers again if it named a time.
    """

    def __init__(
        self,
        trouble: Trouble,
        sentence: str,
        *,
        ref: str = "",
        sha: str = "",
        faults: Sequence[Fault] = (),
        until: datetime | None = None,
    ) -> None:
        self.trouble = trouble
        self.ref = ref
        self.sha = sha
        self.faults = list(faults)
        self.until = until
        super().__init__(sentence)


def slow() -> StudyUnreadable:
    """The time that a page may take is over."""
    return StudyUnreadable(Trouble.GITHUB_SLOW, "GitHub did not answer in time. Try again in a few minutes.")


def ref_missing(place: Place, ref: str) -> StudyUnreadable:
    """Nothing in the repository goes by this name."""
    shown = ref if len(ref) <= 60 else ref[:59] + "…"
    printable = "".join(char if char.isprintable() else " " for char in shown)
    sentence = f"The repository {place.repository} has no commit, tag or branch “{printable}”."
    return StudyUnreadable(Trouble.REF_MISSING, sentence, ref=ref)


def branch_missing(place: Place) -> StudyUnreadable:
    """The workspace's branch is gone."""
    sentence = f"The repository {place.repository} has no branch “{place.branch}” any more."
    return StudyUnreadable(Trouble.BRANCH_MISSING, sentence)


def not_on_branch(place: Place, sha: str) -> StudyUnreadable:
    """The commit is in the repository, or in a fork of it, but not on the workspace's branch."""
    sentence = f"Commit {sha[:7]} is not on the branch “{place.branch}”, the only one that runs here."
    return StudyUnreadable(Trouble.NOT_ON_BRANCH, sentence, sha=sha)


def codelists_missing(sha: str) -> StudyUnreadable:
    """There is a folder of codelists without the two files that describe them."""
    sentence = (
        f"The folder codelists at commit {sha[:7]} does not hold both codelists.txt and codelists.json."
    )
    return StudyUnreadable(Trouble.CODELISTS_MISSING, sentence, sha=sha)


def definition_invalid(sha: str, faults: Sequence[Fault]) -> StudyUnreadable:
    """``project.yaml`` breaks rules."""
    return StudyUnreadable(
        Trouble.DEFINITION_INVALID,
        f"The project.yaml at commit {sha[:7]} is not valid.",
        sha=sha,
        faults=faults,
    )


def image_refused(sha: str, faults: Sequence[Fault]) -> StudyUnreadable:
    """``project.yaml`` uses an image that may not run."""
    return StudyUnreadable(
        Trouble.IMAGE_REFUSED,
        f"The project.yaml at commit {sha[:7]} uses an image that may not run here.",
        sha=sha,
        faults=faults,
    )


def of_github(error: GitHubError, place: Place, ref: str, sha: str = "") -> StudyUnreadable:
    """What GitHub's error means for reading the study; ``ref`` is empty for the newest commit."""
    match error:
        case RepositoryMissing():
            return StudyUnreadable(Trouble.REPOSITORY_MISSING, str(error), ref=ref)
        case RefMissing():
            return ref_missing(place, ref) if ref else branch_missing(place)
        case FileMissing():
            return StudyUnreadable(Trouble.DEFINITION_MISSING, str(error), ref=ref, sha=sha)
        case FileUnusable():
            return StudyUnreadable(Trouble.FILE_UNUSABLE, str(error), ref=ref, sha=sha)
        case RateLimited():
            return StudyUnreadable(Trouble.GITHUB_LIMITED, str(error), until=error.reset_at)
        case GitHubUnauthorised():
            return StudyUnreadable(Trouble.GITHUB_REFUSES, str(error))
    return StudyUnreadable(Trouble.GITHUB_DOWN, str(error))
