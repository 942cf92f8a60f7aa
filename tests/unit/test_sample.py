"""Sample data: the same each time, consistent, and only where it does no harm."""

from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from jobserver.actions import job_status
from jobserver.models import (
    ActionName,
    AuditableEvent,
    AuditType,
    Base,
    Cancellation,
    Happening,
    Job,
    JobRequest,
    Project,
    PublishRequest,
    Release,
    ReleaseFile,
    ReleaseRequest,
    Snapshot,
    User,
    Workspace,
    utcnow,
)
from jobserver.pipeline import parse
from jobserver.queries import active_requests
from tests.unit.command import Run, count, ok, refused

SMALL = ("--requests", "300", "--jobs", "3000", "--users", "60", "--projects", "20", "--until", "2026-06-01")
TABLES = [table for table in Base.metadata.sorted_tables if table.name != "backend"]


def digests(db: Session) -> dict[str, str]:
    """A digest of everything in each table. Backends are made in the usual way, at the present time."""
    statement = "SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM \"{}\" AS t"
    return {table.name: db.scalar(text(statement.format(table.name))) or "" for table in TABLES}


def empty(engine: Engine) -> None:
    names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


@pytest.fixture
def sample(run: Run, db: Session) -> str:
    """The sample, loaded; what the command said."""
    return ok(run("load-sample", *SMALL))


def test_the_sample_has_the_size_asked_for(sample: str, db: Session) -> None:
    assert "300 job requests, 3,000 jobs" in sample
    wanted = {User: 60, Project: 20, Workspace: 40, JobRequest: 300, Job: 3000}
    assert {model: count(db, model) for model in wanted} == wanted


def test_the_same_options_make_the_same_sample(run: Run, db: Session, engine: Engine) -> None:
    def loaded(*options: str) -> dict[str, str]:
        db.rollback()
        empty(engine)
        ok(run("load-sample", *SMALL, *options))
        return digests(db)

    first = loaded()
    assert first == loaded()
    assert first["job"] != loaded("--seed", "2")["job"]


def test_what_the_requests_say_follows_from_their_jobs(sample: str, db: Session) -> None:
    def stored() -> dict[int, Any]:
        columns = [column for column in JobRequest.__table__.columns if column.name != "version"]
        return {row.id: row for row in db.execute(select(*columns))}

    before = stored()
    job_status.refresh(db, job_status.lock(db, before), utcnow())
    assert stored() == before
    assert {row.status for row in before.values()} >= {"succeeded", "failed", "nothing_to_do", "running"}


def test_one_workspace_has_a_third_of_the_jobs_and_one_request_very_many(sample: str, db: Session) -> None:
    of_workspaces = select(func.count()).select_from(Job).group_by(Job.workspace_id)
    of_requests = select(func.count()).select_from(Job).group_by(Job.job_request_id)
    assert max(db.scalars(of_workspaces)) == 1000
    assert max(db.scalars(of_requests)) == 300


def test_every_kind_of_end_is_there(sample: str, db: Session) -> None:
    refused_ones = select(JobRequest.id).where(
        JobRequest.status == "failed", ~select(Job.id).where(Job.job_request_id == JobRequest.id).exists()
    )
    cancelled_only = select(JobRequest.id).where(
        JobRequest.status == "failed", JobRequest.jobs_cancelled > 0, JobRequest.jobs_failed == 0
    )
    repeated = select(JobRequest.id).where(JobRequest.rerun_of_id.is_not(None))
    for found in (refused_ones, cancelled_only, repeated):
        assert db.scalars(found).first()
    assert len(active_requests.to_ask_about(db, utcnow())) >= 30
    assert count(db, Cancellation)
    assert count(db, Happening)


def test_releases_came_out_of_it_and_one_has_very_many_files(sample: str, db: Session) -> None:
    assert "23 releases, 460 released files without bytes" in sample
    of_releases = select(func.count()).select_from(ReleaseFile).group_by(ReleaseFile.release_id)
    assert max(db.scalars(of_releases)) == 115
    states = set(db.scalars(select(ReleaseRequest.state)))
    assert states >= {"submitted", "released", "approved"}
    asked_and_released = select(func.count()).where(ReleaseRequest.id == Release.id)
    assert db.scalar(asked_and_released) == 12
    assert count(db, PublishRequest) == count(db, Snapshot) == 3


def test_the_studies_can_be_read_and_hold_what_was_run(sample: str, db: Session) -> None:
    definitions = dict(db.execute(select(JobRequest.project_definition, func.min(JobRequest.id)).group_by("project_definition")).all())  # type: ignore[arg-type] # fmt: skip
    pipelines = {text_: parse(text_) for text_ in definitions}
    wanted = select(JobRequest.project_definition, JobRequest.requested_actions)
    for definition, actions in db.execute(wanted):
        assert set(actions) <= set(pipelines[definition].requestable())
    ran = select(JobRequest.project_definition, Job.action, Job.run_command).join(Job.job_request).limit(500)
    for definition, action, command in db.execute(ran):
        assert pipelines[definition].actions[action].run == command
    assert set(db.scalars(select(Job.action).distinct())) == set(db.scalars(select(ActionName.name)))


def test_nothing_happens_before_its_time_or_after_the_end(sample: str, db: Session) -> None:
    early = select(JobRequest.id).join(JobRequest.created_by).where(User.date_joined > JobRequest.created_at)
    earlier = (
        select(JobRequest.id).join(JobRequest.workspace).where(Workspace.created_at > JobRequest.created_at)
    )
    upside_down = select(Job.id).where(
        (Job.started_at < Job.created_at) | (Job.completed_at < Job.started_at)
    )
    late = select(Job.id).where(
        func.greatest(Job.updated_at, Job.completed_at) > text("timestamptz '2026-06-01 00:00Z'")
    )
    for wrong in (early, earlier, upside_down, late):
        assert db.scalars(wrong).all() == []


def test_everything_made_is_on_the_audit_trail(sample: str, db: Session) -> None:
    kinds = select(AuditableEvent.type, func.count()).group_by(AuditableEvent.type)
    recorded = dict(db.execute(kinds).all())  # type: ignore[arg-type]
    assert recorded[AuditType.JOB_REQUEST_CREATED] == 300
    assert recorded[AuditType.WORKSPACE_CREATED] == 40
    assert recorded[AuditType.PROJECT_CREATED] == 20


def test_rows_can_be_added_afterwards(sample: str, run: Run, db: Session) -> None:
    assert "created" in ok(run("create-user", "newest"))
    assert db.scalar(select(User.id).where(User.username == "newest")) == 61


def test_a_second_sample_is_refused_and_the_first_stays(sample: str, run: Run, db: Session) -> None:
    refused(run("load-sample", *SMALL), "Sample data are there already")
    assert count(db, JobRequest) == 300


def test_a_sample_that_fails_leaves_nothing(run: Run, db: Session) -> None:
    ok(run("create-org", "Aberdeen Institute of Health Data"))
    assert run("load-sample", *SMALL).exit_code == 1
    assert (count(db, User), count(db, JobRequest)) == (0, 0)


def test_the_sample_is_refused_without_debug(run: Run, db: Session) -> None:
    refused(run("load-sample", *SMALL, DEBUG="false"), "DEBUG is off")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--requests", "5"), "--requests must be at least 100"),
        (("--requests", "3000", "--jobs", "2999"), "--jobs must not be less"),
        (("--requests", "100", "--active", "90"), "--active must not be more"),
        (("--until", "yesterday"), "does not match"),
    ],
)
def test_numbers_that_do_not_go_together_are_named(
    run: Run, db: Session, options: tuple[str, ...], said: str
) -> None:
    result = run("load-sample", *options)
    assert result.exit_code == 2
    assert said in result.stderr
