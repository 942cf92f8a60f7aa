import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import memberships
from jobserver.actions.naming import Malformed, Taken
from jobserver.models import AuditableEvent, AuditType, Project, ProjectMembership, Role, User, utcnow
from tests import factories


@pytest.fixture
def admin(db: Session):
    return factories.UserFactory(username="admin")


@pytest.fixture
def member(db: Session):
    return factories.UserFactory(username="ada")


@pytest.fixture
def project(db: Session):
    return factories.ProjectFactory()


def recorded(db: Session) -> list[AuditableEvent]:
    return list(db.scalars(select(AuditableEvent).order_by(AuditableEvent.id)))


def test_a_member_with_roles_leaves_two_events_of_one_moment(
    db: Session, project: Project, member: User, admin: User
) -> None:
    roles = [Role.PROJECT_DEVELOPER, Role.PROJECT_COLLABORATOR, Role.PROJECT_DEVELOPER]
    membership = memberships.add(db, project, member, roles=roles, by=admin)
    db.commit()
    assert membership.roles == ["ProjectCollaborator", "ProjectDeveloper"]
    assert membership.created_by_id == admin.id
    added, given = recorded(db)
    assert (added.type, given.type) == (
        AuditType.PROJECT_MEMBER_ADDED,
        AuditType.PROJECT_MEMBER_UPDATED_ROLES,
    )
    assert (given.old, given.new) == ("", "ProjectCollaborator,ProjectDeveloper")
    assert added.created_at == given.created_at == membership.created_at
    for event in (added, given):
        assert (event.target_model, event.target_id) == ("jobserver.ProjectMembership", str(membership.id))
        assert (event.parent_model, event.parent_id) == ("jobserver.Project", str(project.id))
        assert (event.target_user, event.created_by) == ("ada", "admin")


def test_a_member_without_roles_leaves_one_event(
    db: Session, project: Project, member: User, admin: User
) -> None:
    memberships.add(db, project, member, by=admin)
    db.commit()
    assert [event.type for event in recorded(db)] == [AuditType.PROJECT_MEMBER_ADDED]


def test_a_member_is_not_added_twice(db: Session, project: Project, member: User, admin: User) -> None:
    memberships.add(db, project, member, by=admin)
    with pytest.raises(Taken) as refused:
        memberships.add(db, project, member, by=admin)
    assert refused.value.field == "user"


def test_only_real_changes_of_roles_are_recorded(
    db: Session, project: Project, member: User, admin: User
) -> None:
    membership = memberships.add(db, project, member, roles=[Role.PROJECT_DEVELOPER], by=admin)
    db.commit()
    before = len(recorded(db))
    assert not memberships.update_roles(db, membership, [Role.PROJECT_DEVELOPER] * 2, by=admin)
    assert memberships.update_roles(db, membership, [Role.PROJECT_COLLABORATOR], by=admin)
    db.commit()
    [change] = recorded(db)[before:]
    assert (change.old, change.new, change.target_field) == (
        "ProjectDeveloper",
        "ProjectCollaborator",
        "roles",
    )


def test_removing_a_member_records_the_roles_that_went(
    db: Session, project: Project, member: User, admin: User
) -> None:
    membership = memberships.add(db, project, member, roles=[Role.PROJECT_DEVELOPER], by=admin)
    db.commit()
    before = len(recorded(db))
    memberships.remove(db, membership, by=admin)
    db.commit()
    assert db.scalar(select(func.count(ProjectMembership.id))) == 0
    assert [(event.type, event.old, event.new) for event in recorded(db)[before:]] == [
        (AuditType.PROJECT_MEMBER_UPDATED_ROLES, "ProjectDeveloper", ""),
        (AuditType.PROJECT_MEMBER_REMOVED, "", ""),
    ]


def test_removing_a_member_without_roles_leaves_one_event(
    db: Session, project: Project, member: User, admin: User
) -> None:
    membership = memberships.add(db, project, member, by=admin)
    memberships.remove(db, membership, by=admin)
    db.commit()
    assert recorded(db)[-1].type == AuditType.PROJECT_MEMBER_REMOVED
    assert len(recorded(db)) == 2


def test_a_membership_that_is_gone_is_left_alone(
    db: Session, session_factory: sessionmaker[Session], project: Project, member: User, admin: User
) -> None:
    membership = memberships.add(db, project, member, roles=[Role.PROJECT_DEVELOPER], by=admin)
    db.commit()
    with session_factory() as other:
        memberships.remove(other, other.get_one(ProjectMembership, membership.id), by=admin)
        other.commit()
    before = len(recorded(db))
    assert not memberships.update_roles(db, membership, [], by=admin)
    assert not memberships.set_end(db, membership, utcnow(), by=admin)
    assert not memberships.remove(db, membership, by=admin)
    assert len(recorded(db)) == before


def test_a_global_role_is_not_given_on_a_project(
    db: Session, project: Project, member: User, admin: User
) -> None:
    with pytest.raises(Malformed, match="OutputChecker"):
        memberships.add(db, project, member, roles=[Role.OUTPUT_CHECKER], by=admin)
