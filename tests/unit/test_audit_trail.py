"""The audit trail: never changed, written with what it tells of, and by every way in (spec: domain 6, 13.32)."""

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from jobserver import db as database
from jobserver.actions import (
    audit,
    backends,
    cancelling,
    data_permissions,
    memberships,
    publication,
    users,
)
from jobserver.models import (
    AuditableEvent,
    AuditType,
    PermissionKind,
    Project,
    ProjectMembership,
    Role,
    User,
)
from tests import factories as f
from tests.unit.command import Run


@pytest.fixture
def staff(db: Session) -> User:
    """Who does things."""
    user: User = f.UserFactory(username="staff-1")
    return user


def newest(db: Session) -> AuditableEvent:
    """The event that was written last."""
    return db.scalars(select(AuditableEvent).order_by(AuditableEvent.id.desc()).limit(1)).one()


class TestNeverChanged:
    @pytest.fixture
    def event(self, db: Session, staff: User) -> AuditableEvent:
        """An event that somebody would rather not have had."""
        users.set_global_roles(db, staff, [Role.OUTPUT_CHECKER], by=staff)
        db.commit()
        return newest(db)

    def refused(self, db: Session) -> None:
        db.rollback()
        assert newest(db).created_by == "staff-1"

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE auditable_event SET created_by = 'nobody'",
            "UPDATE auditable_event SET reason = 'better' WHERE id = (SELECT max(id) FROM auditable_event)",
            "DELETE FROM auditable_event",
        ],
    )
    def test_the_database_refuses_in_plain_words(
        self, db: Session, event: AuditableEvent, statement: str
    ) -> None:
        with pytest.raises(IntegrityError, match="rows of auditable_event are never changed"):
            db.execute(text(statement))
        self.refused(db)

    def test_changing_an_object_is_refused(self, db: Session, event: AuditableEvent) -> None:
        event.created_by = "nobody"
        with pytest.raises(IntegrityError, match="never changed"):
            db.flush()
        self.refused(db)

    def test_deleting_an_object_is_refused(self, db: Session, event: AuditableEvent) -> None:
        db.delete(event)
        with pytest.raises(IntegrityError, match="never changed"):
            db.flush()
        self.refused(db)

    def test_statements_of_the_orm_are_refused(self, db: Session, event: AuditableEvent) -> None:
        for statement in (update(AuditableEvent).values(old=""), delete(AuditableEvent)):
            with pytest.raises(IntegrityError, match="never changed"):
                db.execute(statement)
            self.refused(db)

    def test_what_an_event_speaks_of_can_go(self, db: Session, staff: User) -> None:
        project = f.ProjectFactory()
        membership = memberships.add(db, project, f.UserFactory(), by=staff)
        db.commit()
        memberships.remove(db, membership, by=staff)
        db.commit()
        assert db.scalar(select(ProjectMembership)) is None
        assert newest(db).type == AuditType.PROJECT_MEMBER_REMOVED


class TestWithTheChange:
    def test_what_is_rolled_back_leaves_no_event(self, db: Session, staff: User) -> None:
        users.set_global_roles(db, staff, [Role.OUTPUT_CHECKER], by=staff)
        db.rollback()
        assert db.scalar(select(AuditableEvent)) is None

    def test_nothing_is_written_where_nothing_changes(self, db: Session, staff: User) -> None:
        assert not users.set_global_roles(db, staff, [], by=staff)
        backend = f.BackendFactory(name="TPP")
        assert not backends.rename(db, backend, " TPP ", by=staff)
        db.commit()
        assert db.scalar(select(AuditableEvent)) is None

    @pytest.mark.parametrize("source", ["browser", "command", "api", "service"])
    def test_the_event_says_by_what_it_was_done(
        self, db: Session, session_factory: sessionmaker[Session], staff: User, source: str
    ) -> None:
        with database.transaction_of(session_factory, source=source) as session:
            audit.record(session, AuditType.USER_UPDATED, by=staff, target=staff)
        assert newest(db).source == source


class TestWhatEarlierActionsRecord:
    def test_why_a_project_may_use_data(self, db: Session, staff: User) -> None:
        project: Project = f.ProjectFactory(name="Winter")
        data_permissions.grant(
            db, project, kind=PermissionKind.DATASET, name="ukrr", reason=" Approved 7 May ", by=staff
        )
        db.commit()
        event = newest(db)
        assert (event.target_field, event.new, event.reason) == ("dataset", "ukrr", "Approved 7 May")
        assert (event.target_label, event.parent_label) == ("ukrr", "Winter")

    def test_why_something_is_not_published_and_no_longer_public(self, db: Session, staff: User) -> None:
        refused = f.PublishRequestFactory().snapshot
        publication.reject(db, refused, staff, "Small numbers")
        db.commit()
        event = newest(db)
        assert (event.type, event.reason) == (AuditType.PUBLISH_REQUEST_REJECTED, "Small numbers")
        public = f.PublishRequestFactory().snapshot
        publication.publish(db, public, staff)
        publication.unpublish(db, public, staff, "Wrong file")
        db.commit()
        event = newest(db)
        assert (event.type, event.reason) == (AuditType.SNAPSHOT_UNPUBLISHED, "Wrong file")
        assert event.target_id == str(public.id)

    def test_a_new_name_of_a_backend(self, db: Session, staff: User) -> None:
        backend = f.BackendFactory(name="TPP")
        assert backends.rename(db, backend, "TPP 2", by=staff)
        db.commit()
        event = newest(db)
        assert (event.type, event.target_id) == (AuditType.BACKEND_UPDATED, str(backend.id))
        assert event.changes == {"name": ["TPP", "TPP 2"]}

    def test_who_cancelled_jobs_and_where(self, db: Session, staff: User) -> None:
        job = f.JobFactory(status="running", action="run_all")
        cancelling.ask(db, job.job_request, staff)
        db.commit()
        event = newest(db)
        workspace = job.job_request.workspace
        assert (event.type, event.created_by) == (AuditType.JOB_REQUEST_CANCELLED, "staff-1")
        assert (event.parent_model, event.parent_id) == ("jobserver.Workspace", str(workspace.id))
        assert (event.parent_label, event.new) == (workspace.name, "run_all")

    def test_who_may_sign_in_as_an_existing_user(self, db: Session, run: Run) -> None:
        f.UserFactory(username="ann")
        assert run("create-user", "ann", "--github-id", "4711").exit_code == 0
        event = newest(db)
        assert (event.type, event.target_user) == (AuditType.USER_UPDATED, "ann")
        assert event.changes == {"github_account": [None, "4711"]}
        assert (event.created_by, event.source) == ("operator's command", "command")
        assert run("create-user", "ann", "--github-id", "4711").exit_code == 0
        assert newest(db).id == event.id


@pytest.mark.parametrize(
    ("arguments", "type_"),
    [
        (("create-user", "bob", "-o"), AuditType.USER_UPDATED_ROLES),
        (("disable-user", "ann", "--by", "staff-1"), AuditType.USER_DISABLED),
        (("create-org", "Institute", "--member", "ann"), AuditType.ORG_MEMBER_ADDED),
        (("create-bot", "robot"), AuditType.PERSONAL_TOKEN_CREATED),
        (("create-backend", "emis", "--user", "ann"), AuditType.BACKEND_MEMBER_ADDED),
        (("create-backend", "tpp", "--name", "TPP"), AuditType.BACKEND_UPDATED),
        (("set-output-checking", "institute-1", "--channel", "checks"), AuditType.ORG_UPDATED),
    ],
)
def test_commands_leave_the_same_events_as_pages(
    db: Session, run: Run, staff: User, arguments: tuple[str, ...], type_: AuditType
) -> None:
    f.UserFactory(username="ann")
    f.OrgFactory(slug="institute-1")
    f.BackendFactory(slug="tpp", name="Old")
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    found = db.scalars(select(AuditableEvent).where(AuditableEvent.type == type_)).one()
    assert found.source == "command"
