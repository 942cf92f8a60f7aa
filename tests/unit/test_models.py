"""The tables: pairs, choices, protected deletes and unique names hold in PostgreSQL itself."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from jobserver import migrations
from jobserver.models import Base
from tests import factories as f
from tests.conftest import ROOT

DELIBERATELY_UNPAIRED = {
    # A creator is not always known for these: rows made by an operator's command have none.
    ("org", "created"),
    ("org", "updated"),
    ("org_membership", "created"),
    ("backend_membership", "created"),
    ("project_membership", "created"),
    ("site_alert", "created"),
    ("site_alert", "updated"),
    # Tokens from before they had a table of their own.
    ("personal_token", "created"),
    ("data_permission", "granted"),
}


def test_every_pair_of_who_and_when_is_held_together_by_a_check(engine: Engine) -> None:
    """Architecture, what must stay true: 7."""
    inspector = inspect(engine)
    seen = set()
    for table in Base.metadata.sorted_tables:
        checks = {each["name"] for each in inspector.get_check_constraints(table.name)}
        names = {column["name"] for column in inspector.get_columns(table.name)}
        for stem in (name.removesuffix("_at") for name in names if name.endswith("_at")):
            if f"{stem}_by_id" not in names:
                continue
            seen.add((table.name, stem))
            if (table.name, stem) not in DELIBERATELY_UNPAIRED:
                assert f"ck_{table.name}_{stem}_pair" in checks
    assert seen >= DELIBERATELY_UNPAIRED
    assert len(seen - DELIBERATELY_UNPAIRED) >= 12


def test_models_and_migrations_agree(engine: Engine) -> None:
    migrations.check(engine, ROOT / "alembic")


def refused(db: Session, statement: str, constraint: str, **values: object) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        db.execute(text(statement), values)
    db.rollback()


def test_a_pair_is_both_or_neither(db: Session) -> None:
    user = f.UserFactory()
    refused(db, 'UPDATE "user" SET disabled_at = now() WHERE id = :id', "disabled_pair", id=user.id)


def test_usernames_and_emails_are_unique_whatever_their_case(db: Session) -> None:
    """Domain 13.17."""
    f.UserFactory(username="Ada", email="ada@example.com")
    for changes in ({"username": "ADA"}, {"email": "ADA@example.com"}):
        with pytest.raises(IntegrityError):
            f.UserFactory(**changes)
        db.rollback()


def test_several_people_may_have_no_email(db: Session) -> None:
    """Domain 13.18."""
    f.UserFactory(email=None)
    f.UserFactory(email=None)


@pytest.mark.parametrize("username", ["a@b.org", "a b", "", "a\n"])
def test_a_username_cannot_look_like_an_email(db: Session, username: str) -> None:
    with pytest.raises(IntegrityError, match="username_form"):
        f.UserFactory(username=username, email=None)
    db.rollback()


def test_a_name_of_blanks_is_refused(db: Session) -> None:
    with pytest.raises(IntegrityError, match="fullname_not_blank"):
        f.UserFactory(fullname="   ")
    db.rollback()


def test_a_project_has_exactly_one_lead_organisation_and_it_collaborates(db: Session) -> None:
    """Domain 13 and the addresses page: never none, never one that is no collaborator."""
    project = f.ProjectFactory()
    refused(db, "UPDATE project SET org_id = NULL WHERE id = :id", "org_id", id=project.id)
    stranger = f.OrgFactory()
    db.execute(
        text("UPDATE project SET org_id = :org WHERE id = :id"), {"org": stranger.id, "id": project.id}
    )
    with pytest.raises(IntegrityError, match="fk_project_lead_org_collaborates"):
        db.commit()
    db.rollback()


@pytest.mark.parametrize("number", ["1", "987654321", "POS-2026-3001", None])
def test_project_numbers_that_are_fine(db: Session, number: str | None) -> None:
    assert f.ProjectFactory(number=number).number == number


@pytest.mark.parametrize(
    "number", ["", "0", "007", "pos-2026-3001", "POS-1999-2000", "POS-2001-0000", " 1", "1\n", "1234567890"]
)
def test_project_numbers_that_are_refused(db: Session, number: str) -> None:
    """Domain 3.7 and 13.26."""
    with pytest.raises(IntegrityError, match="number_valid_format"):
        f.ProjectFactory(number=number)
    db.rollback()


def test_what_has_children_cannot_be_deleted(db: Session) -> None:
    """Domain 10 and 13.51: protected everywhere."""
    job = f.JobFactory()
    request = job.job_request
    for table, key in [
        ("job_request", request.id),
        ("workspace", request.workspace_id),
        ("backend", request.backend_id),
        ("user", request.created_by_id),
        ("repo", request.workspace.repo_id),
        ("project", request.workspace.project_id),
        ("org", request.workspace.project.org_id),
    ]:
        refused(db, f'DELETE FROM "{table}" WHERE id = :id', "foreign key", id=key)


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        ("pending", "created", "pending"),
        ("", "", "pending"),
        ("Running", "", "running"),
        ("Succeeded", "", "succeeded"),
        ("failed", "nonzero_exit", "failed"),
        ("failed", "cancelled_by_user", "cancelled"),
        ("0", "", "unknown"),
        ("hibernating", "", "unknown"),
    ],
)
def test_a_jobs_status_is_kept_as_it_came_and_normalised_for_counting(
    db: Session, status: str, code: str, state: str
) -> None:
    """Domain 13.3."""
    job = f.JobFactory(status=status, status_code=code)
    assert (job.status, job.state) == (status, state)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("project", "status"),
        ("project", "category"),
        ("job_request", "status"),
    ],
)
def test_our_own_enumerations_are_checked(db: Session, table: str, column: str) -> None:
    """Domain 13.52."""
    f.JobRequestFactory()
    refused(db, f"UPDATE {table} SET {column} = 'nonsense'", f"{column}_known")


def test_a_stored_role_is_one_that_exists(db: Session) -> None:
    user = f.UserFactory()
    refused(
        db,
        """UPDATE "user" SET roles = ARRAY['ProjectDeveloper'] WHERE id = :id""",
        "roles_known",
        id=user.id,
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/opensafely/study.git",
        "https://github.com/opensafely/",
        "https://github.com/opensafely/study/",
        "https://example.org/opensafely/study",
        "http://github.com/opensafely/study",
        "https://github.com/opensafely/study\n",
    ],
)
def test_a_repository_is_named_in_one_way_only(db: Session, url: str) -> None:
    """Domain 13.29."""
    with pytest.raises(IntegrityError, match="url_form"):
        f.RepoFactory(url=url)
    db.rollback()


def test_a_jobs_workspace_and_backend_are_those_of_its_request(db: Session) -> None:
    job = f.JobFactory()
    other = f.WorkspaceFactory()
    refused(db, "UPDATE job SET workspace_id = :w WHERE id = :id", "foreign key", w=other.id, id=job.id)


def test_a_redirect_has_one_target_and_never_takes_the_whole_site(db: Session) -> None:
    """Domain 3.19 and 13.28."""
    org = f.OrgFactory()
    user = f.UserFactory()
    insert = (
        "INSERT INTO redirect (org_id, project_id, old_url, expires_at, updated_at, created_at, created_by_id)"
        " VALUES (:org, NULL, :url, now(), now(), now(), :user)"
    )
    refused(db, insert, "old_url_form", org=org.id, url="/", user=user.id)
    refused(db, insert, "exactly_one_target", org=None, url="/a/", user=user.id)


def test_a_migration_is_written_from_what_the_database_lacks(engine: Engine, tmp_path: Path) -> None:
    """Nothing while models and database agree; what is missing once they do not."""
    scripts = tmp_path / "alembic"
    shutil.copytree(ROOT / "alembic", scripts)
    assert migrations.write(engine, scripts, "nothing") is None
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_job_queue"))
    try:
        written = migrations.write(engine, scripts, "Put it back")
        assert written is not None
        assert "ix_job_queue" in written.read_text().split("def downgrade")[0]
    finally:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "CREATE INDEX ix_job_queue ON job (backend_id, state) WHERE state IN ('pending', 'running')"
                )
            )
    migrations.check(engine, ROOT / "alembic")
