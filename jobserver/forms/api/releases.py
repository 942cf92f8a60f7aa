"""The bodies of new releases and of reviews (spec: airlock 4.2, 7)."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from jobserver.forms.api.base import (
    BLANK,
    NULL,
    Body,
    BodyRefused,
    FilledText,
    Moment,
    Object,
    OptionalObject,
    Whole,
    check,
    wrong,
)
from jobserver.models.choices import ReviewStatus
from jobserver.models.release import ULID

# What a file system takes for one part of a path.
LONGEST_PART = 255
# What PostgreSQL takes into the index that keeps a release's names apart.
LONGEST_NAME = 2500
MOST_FILES = 20_000

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ID = re.compile(ULID)
_SHA256 = re.compile("[0-9a-f]{64}")


def _name(value: object) -> str:
    """The name exactly as it is, for the upload will name it exactly so (spec: airlock 12.1, 12.25)."""
    if value is None:
        raise wrong(NULL)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise wrong("Not a valid string.")
    name = str(value)
    if not name.strip():
        raise wrong(BLANK)
    if problem := problem_of_name(name):
        raise wrong(problem)
    return name


def problem_of_name(name: str) -> str:
    """Why no released file can have this name; empty if it can."""
    if _CONTROL.search(name):
        return "A file name has no control characters."
    if any(character > "\xff" for character in name):
        return "A file name can only have characters of Latin-1: any other cannot be named when it is sent."
    if "\\" in name:
        return "A file name has no backslashes; folders end in /."
    parts = name.split("/")
    if "" in parts:
        return "A file name has no empty parts, and neither begins nor ends with /."
    if "." in parts or ".." in parts:
        return "A file name has no parts . and .."
    if any(len(part.encode()) > LONGEST_PART for part in parts):
        return f"No part of a file name can have more than {LONGEST_PART} bytes."
    if len(name.encode()) > LONGEST_NAME:
        return f"A file name can have at most {LONGEST_NAME:,} bytes."
    return ""


def _sha256(value: object) -> str:
    if value is None:
        raise wrong(NULL)
    if value == "":
        raise wrong(BLANK)
    if not isinstance(value, str) or not _SHA256.fullmatch(value.lower()):
        raise wrong("Not a SHA-256: 64 hexadecimal digits.")
    return value.lower()


def _status(value: object) -> str:
    if value is None:
        raise wrong(NULL)
    if not isinstance(value, str) or value not in set(ReviewStatus):
        raise wrong(f'"{str(value)[:100]}" is not a valid choice.')
    return value


def _given(value: object) -> object:
    if value is None:
        raise wrong(NULL)
    return value


def _files(value: object) -> object:
    if value is None:
        raise wrong(NULL)
    if isinstance(value, list) and len(value) > MOST_FILES:
        raise wrong(f"A release can have at most {MOST_FILES:,} files.")
    return value


def _with_id(value: object) -> object:
    id_ = value.get("airlock_id") if isinstance(value, dict) else None
    if id_ is not None and not (isinstance(id_, str) and _ID.fullmatch(id_)):
        raise wrong("airlock_id must be a ULID: 26 digits and upper-case letters, without I, L, O and U.")
    return value


class Review(Body):
    """What a reviewer thought of a file."""

    status: Annotated[str, BeforeValidator(_status)]
    comments: Object


class AnnouncedFile(Body):
    """A file of a release; ``date`` is its own time."""

    name: Annotated[str, BeforeValidator(_name)]
    url: FilledText
    size: Whole = Field(ge=0)
    sha256: Annotated[str, BeforeValidator(_sha256)]
    date: Moment
    metadata: Object
    review: Review | None


class ReleaseBody(Body):
    """A list of files, for a new release or with reviews."""

    files: Annotated[list[AnnouncedFile], BeforeValidator(_files)]
    metadata: Annotated[Object, BeforeValidator(_with_id)]
    review: OptionalObject

    @property
    def airlock_id(self) -> str | None:
        """The id of the release request in Airlock."""
        id_: str | None = self.metadata.get("airlock_id")
        return id_

    @property
    def other_metadata(self) -> dict[str, Any]:
        """The metadata without the id."""
        return {key: value for key, value in self.metadata.items() if key != "airlock_id"}


class _ReviewedFile(AnnouncedFile):
    review: Annotated[Review, BeforeValidator(_given)]

    @property
    def key(self) -> tuple[str, str]:
        """What names it in its release."""
        return self.name, self.sha256


class ReviewsBody(ReleaseBody):
    """A list of files, each with its review."""

    files: Annotated[list[_ReviewedFile], BeforeValidator(_files)]  # type: ignore[assignment]


def new_release(value: object, largest: int) -> ReleaseBody:
    """The body of a new release whose files have at most ``largest`` bytes each.

    Raises :class:`BodyRefused` with an error for each wrong field of each wrong file.
    """
    body = check(ReleaseBody, value)
    refuse_files(_too_large(body.files, largest), "size")
    refuse_files(_clashes(body.files), "name")
    return body


def reviews(value: object) -> ReviewsBody:
    """The body of reviews. Raises :class:`BodyRefused`."""
    return check(ReviewsBody, value)


def refuse_files(errors: dict[int, str], field: str) -> None:
    """Raise :class:`BodyRefused` if there are errors, which are by the position of the file."""
    if errors:
        raise BodyRefused({"files": {str(place): {field: [error]} for place, error in errors.items()}})


def _too_large(files: Sequence[AnnouncedFile], largest: int) -> dict[int, str]:
    return {
        place: f"{file.name} has {file.size:,} bytes; a released file can have at most {largest:,}."
        for place, file in enumerate(files)
        if file.size > largest
    }


def _clashes(files: Sequence[AnnouncedFile]) -> dict[int, str]:
    """Names that come twice, and names that are folders of others: not both can be stored."""
    errors = {}
    # With / at the end whatever is in a folder comes right after it.
    named = sorted((f"{file.name}/", place) for place, file in enumerate(files))
    for (name, place), (following, its_place) in pairwise(named):
        if following == name:
            errors[its_place] = f"The file {name[:-1]} comes more than once."
        elif following.startswith(name):
            errors[place] = f"{name[:-1]} cannot be a file and a folder: there is {following[:-1]}."
    return errors
