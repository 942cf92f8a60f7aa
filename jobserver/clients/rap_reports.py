"""What the RAP controller reports, read defensively: one ill-formed entry never spoils its neighbours."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

import pydantic
from pydantic import AfterValidator, BeforeValidator, ConfigDict, StrictBool, StrictStr, StringConstraints

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)


def _timestamp(value: object) -> datetime:
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        raise ValueError("must be a UTC time such as 2026-01-05T09:30:00Z")
    moment = datetime.fromisoformat(value).astimezone(UTC)
    # Nothing ran outside these years, and at the ends of the calendar no time can be reckoned with.
    if not 1970 <= moment.year < 2200:
        raise ValueError("must be a time between the years 1970 and 2200")
    return moment


Timestamp = Annotated[datetime, BeforeValidator(_timestamp)]

# Characters. What is longer is cut if it is for people; a name that is longer cannot be looked up.
LONGEST_TEXT = 5_000
LONGEST_WORD = 100
LONGEST_NAME = 500
LARGEST_OBJECT = 20_000


def clipped(text: str, most: int = LONGEST_TEXT) -> str:
    """The text, cut if it is longer than anything that people read."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _of_some_size(value: object) -> object:
    return None if len(json.dumps(value)) > LARGEST_OBJECT else value


Words = Annotated[StrictStr, AfterValidator(clipped)]
Word = Annotated[StrictStr, AfterValidator(partial(clipped, most=LONGEST_WORD))]
Name = Annotated[StrictStr, StringConstraints(min_length=1, max_length=LONGEST_NAME)]
Details = Annotated[Any, BeforeValidator(_of_some_size)]

_Report = TypeVar("_Report")

# Strict field by field: a strict dataclass would take no JSON object.
_IGNORING_UNKNOWN = ConfigDict(extra="ignore")


@dataclass(frozen=True)
class Fault:
    """An entry of an answer that could not be used: whose it is, as far as it says, and why."""

    subject: str
    reason: str
    rap_id: str = ""


@pydantic.dataclasses.dataclass(frozen=True, config=_IGNORING_UNKNOWN)
class JobReport:
    """One job as the controller sees it (spec: rap 1.5).

    ``given`` names the fields that the answer held: a field that is ``None`` and given was null,
    one that is not given was left out, and what is known of it still holds. ``status`` and
    ``status_code`` are kept as they came, known words or not. What is very long is cut.
    """

    identifier: Name
    rap_id: Name
    backend: Word | None = None
    action: Name | None = None
    run_command: Words | None = None
    status: Word | None = None
    status_code: Word | None = None
    status_message: Words | None = None
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    started_at: Timestamp | None = None
    completed_at: Timestamp | None = None
    trace_context: Details = None
    metrics: Details = None
    requires_db: StrictBool | None = None
    given: frozenset[str] = frozenset()


@dataclass(frozen=True)
class StatusReport:
    """Answer to a status call: the jobs of the RAPs recognised, the other RAPs, and what was ill-formed."""

    jobs: tuple[JobReport, ...] = ()
    unrecognised: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class BackendReport:
    """One backend as the controller sees it (spec: rap 1.2). The ``since`` times are of the last switch."""

    slug: str
    last_seen: datetime | None
    paused: bool
    paused_since: datetime | None
    db_maintenance: bool
    db_maintenance_since: datetime | None
    db_maintenance_type: str | None


class BackendReports(list[BackendReport]):
    """The backends that were reported well; ``faults`` tells of the others."""

    def __init__(self, reports: Iterable[BackendReport] = (), faults: Iterable[Fault] = ()) -> None:
        super().__init__(reports)
        self.faults = tuple(faults)


@pydantic.dataclasses.dataclass(frozen=True, config=_IGNORING_UNKNOWN)
class _Flag:
    status: Literal["on", "off"]
    since: Timestamp | None = None
    type: StrictStr | None = None


@pydantic.dataclasses.dataclass(frozen=True, config=_IGNORING_UNKNOWN)
class _Backend:
    slug: StrictStr
    paused: _Flag
    db_maintenance: _Flag
    last_seen: Timestamp | None = None


_JOB = pydantic.TypeAdapter(JobReport)
_BACKEND = pydantic.TypeAdapter(_Backend)


def read_status(answer: dict[str, Any]) -> StatusReport | None:
    """The report in an answer to a status call; None if there is no list of jobs in it."""
    if not isinstance(answer.get("jobs"), list):
        return None
    jobs, faults = _each(answer["jobs"], _job, "identifier")
    unrecognised = answer.get("unrecognised_rap_ids")
    if not isinstance(unrecognised, list):
        faults.append(Fault("unrecognised_rap_ids", "is not a list"))
        unrecognised = []
    strings = [each for each in unrecognised if isinstance(each, str)]
    if len(strings) < len(unrecognised):
        faults.append(Fault("unrecognised_rap_ids", "has entries that are not text"))
    return StatusReport(tuple(jobs), tuple(strings), tuple(faults))


def read_backends(answer: dict[str, Any]) -> BackendReports | None:
    """The reports in an answer to a backend status call; None if there is no list of backends in it."""
    if not isinstance(answer.get("backends"), list):
        return None
    return BackendReports(*_each(answer["backends"], _backend, "slug"))


def _each(
    entries: list[Any], read: Callable[[dict[str, Any]], _Report], key: str
) -> tuple[list[_Report], list[Fault]]:
    reports, faults = [], []
    for entry in entries:
        if not isinstance(entry, dict):
            faults.append(Fault("?", "is not an object"))
            continue
        try:
            reports.append(read(entry))
        except pydantic.ValidationError as error:
            reasons = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
            subject, rap_id = str(entry.get(key, "?"))[:100], str(entry.get("rap_id", ""))
            faults.append(Fault(subject, "; ".join(reasons), rap_id))
    return reports, faults


def _job(entry: dict[str, Any]) -> JobReport:
    return _JOB.validate_python({**entry, "given": frozenset(entry)})


def _backend(entry: dict[str, Any]) -> BackendReport:
    read = _BACKEND.validate_python(entry)
    return BackendReport(
        slug=read.slug,
        last_seen=read.last_seen,
        paused=read.paused.status == "on",
        paused_since=read.paused.since,
        db_maintenance=read.db_maintenance.status == "on",
        db_maintenance_since=read.db_maintenance.since,
        db_maintenance_type=read.db_maintenance.type,
    )
