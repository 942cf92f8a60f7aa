"""Counts and status always equal a recount, whatever is reported in whatever order."""

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from jobserver.actions.job_status import FINAL_STATES, state_of
from jobserver.clients.rap import StatusReport
from jobserver.clients.rap_reports import read_status
from jobserver.models import ACTIVE_STATUSES, Happening, Job, JobRequest, utcnow
from jobserver.queries.active_requests import Asked
from jobserver.rap.context import Context
from jobserver.rap.sync import store_answer
from tests import factories as f
from tests.unit.rap.conftest import deferred

WORDS = ["pending", "running", "succeeded", "failed", "Failed", "", "0", "odd"]
CODES = ["", "created", "nonzero_exit", "cancelled_by_user"]
STATES = ("pending", "running", "succeeded", "failed", "cancelled", "unknown")
MOMENT = "2026-01-05T09:30:00Z"

reports = st.builds(
    dict,
    status=st.sampled_from(WORDS),
    status_code=st.sampled_from(CODES),
    completed_at=st.sampled_from([None, MOMENT]),
)
# What the controller says in one round: of some of three requests, some of three jobs each.
rounds = st.lists(
    st.dictionaries(
        st.integers(0, 2), st.one_of(st.none(), st.dictionaries(st.integers(0, 2), reports, min_size=1))
    ),
    min_size=1,
    max_size=6,
)


def recount(jobs: list[Job]) -> tuple[Counter[str], str | None]:
    """Counts and status, worked out in another way."""
    counts = Counter(each.state for each in jobs)
    if not jobs:
        return counts, None
    active = [each for each in jobs if each.is_active]
    kinds = {each.state for each in active}
    if kinds:
        if kinds == {"unknown"}:
            return counts, "unknown"
        return counts, "pending" if counts["pending"] == len(jobs) else "running"
    if counts["failed"] or counts["cancelled"]:
        return counts, "failed"
    return counts, "unknown" if counts["unknown"] else "succeeded"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=rounds)
def test_counts_status_and_mails_equal_a_recount(db: Session, context: Context, rounds: list[Any]) -> None:
    for table in (Happening, Job, JobRequest):
        db.execute(delete(table))
    db.execute(text("DELETE FROM procrastinate_jobs"))
    db.commit()
    requests = [f.JobRequestFactory(settled_at=utcnow(), will_notify=True) for _ in range(3)]
    asked = [Asked(request.id, request.identifier) for request in requests]
    final: dict[str, str] = {}
    before = {request.id: ("unknown", 0, 1) for request in requests}
    mails: Counter[str] = Counter()
    for said in rounds:
        store_answer(context, asked, answer(requests, said))
        db.rollback()
        db.expire_all()
        for request in requests:
            row = db.get_one(JobRequest, request.id)
            jobs = list(db.scalars(select(Job).where(Job.job_request_id == row.id)))
            counts, status = recount(jobs)
            assert {state: getattr(row, f"jobs_{state}") for state in STATES} == {
                state: counts[state] for state in STATES
            }
            assert row.status == (status or "unknown")
            assert all(each.state == state_of(each.status, each.status_code) for each in jobs)
            old_status, old_failed, old_version = before[row.id]
            if old_status in ACTIVE_STATUSES and row.status not in ACTIVE_STATUSES:
                mails["mail_request_ended"] += 1
            elif row.jobs_failed and not old_failed and row.status in ACTIVE_STATUSES:
                mails["mail_first_failure"] += 1
            assert row.version >= old_version
            before[row.id] = (row.status, row.jobs_failed, row.version)
        everything = db.scalars(select(Job)).all()
        states = {each.identifier: each.state for each in everything}
        assert all(states[identifier] == state for identifier, state in final.items())
        final = {identifier: state for identifier, state in states.items() if state in FINAL_STATES}
        assert {each.id: (each.status, each.status_code) for each in everything} == last_noted(db)
    assert Counter(name for name, _ in deferred(db)) == mails
    # Repeating the last answer changes nothing.
    stored = store_answer(context, asked, answer(requests, rounds[-1])).stored
    assert (stored.created, stored.updated) == ([], [])


def last_noted(db: Session) -> dict[int | None, tuple[str, str]]:
    """The status and code in which each job was last seen, by the history."""
    rows = db.scalars(select(Happening).where(Happening.kind == "job").order_by(Happening.id))
    return {row.job_id: (row.status, row.status_code) for row in rows}


def answer(requests: list[JobRequest], said: dict[int, Any]) -> StatusReport:
    jobs, unrecognised = [], []
    for number, request in enumerate(requests):
        if said.get(number) is None:
            unrecognised.append(request.identifier)
            continue
        for place, fields in said[number].items():
            jobs.append(
                {
                    "identifier": f"{request.identifier[:15]}{place + 2}",
                    "rap_id": request.identifier,
                    "action": f"action_{place}",
                    "created_at": MOMENT,
                    **fields,
                }
            )
    report = read_status({"jobs": jobs, "unrecognised_rap_ids": unrecognised})
    assert report is not None
    assert report.faults == ()
    return report
