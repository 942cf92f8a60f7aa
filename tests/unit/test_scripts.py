"""The ``jobserver`` command, against the test's own database."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import (
    AuditableEvent,
    Backend,
    BackendMembership,
    GithubIdentity,
    Org,
    OrgMembership,
    Project,
    ProjectMembership,
    PublishRequest,
    Release,
    ReleaseFile,
    User,
    UserSession,
    Workspace,
    utcnow,
)
from jobserver.scripts import MODULES
from jobserver.security import callers
from jobserver.settings import Settings
from tests import factories
from tests.unit.command import DEMONSTRATION, ROOT, Run, count, ok, process, refused


def test_help_lists_every_command_and_needs_no_settings(run: Run) -> None:
    listed = ok(run("--help", DATABASE_URL=None, JOBSERVER_INI="/nowhere.ini"))
    for name in (name for commands in MODULES.values() for name in commands):
        assert name in listed
        assert "Usage:" in ok(run(name, "--help"))


def test_hyphens_and_underscores_are_the_same(run: Run, db: Session) -> None:
    assert "created" in ok(run("create_user", "ada"))
    assert "updated" in ok(run("create-user", "ada"))


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("create-user",), ("create-user", "a", "b"), ("web", "--port", "x")]
)
def test_wrong_arguments_end_with_usage_and_status_2(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage:" in result.stderr


def test_a_missing_settings_file_is_named(run: Run) -> None:
    refused(run("-c", "/nowhere.ini", "count-rows"), "no file /nowhere.ini")


def test_missing_production_settings_are_listed_at_once(run: Run) -> None:
    result = run("-c", str(ROOT / "production.ini"), "settings", DATABASE_URL=None)
    assert result.exit_code == 1
    for name in ("SECRET_KEY", "DATABASE_URL", "SOCIAL_AUTH_GITHUB_KEY", "SOCIAL_AUTH_GITHUB_SECRET"):
        assert f"- {name} is missing" in result.stderr


def test_an_unreachable_database_is_one_line(run: Run) -> None:
    refused(run("count-rows", DATABASE_URL="postgresql://u@127.0.0.1:9/x"), "database cannot be used")


def test_settings_are_shown_with_source_and_without_secrets(run: Run, settings: Settings) -> None:
    lines = [
        " ".join(line.split())
        for line in ok(run("settings", SECRET_KEY="hunter2 hunter2 hunter2")).splitlines()
    ]
    assert "SECRET_KEY environment *****" in lines
    assert "DEBUG ini file True" in lines
    assert "DATABASE_POOL_SIZE default 8" in lines
    assert "hunter2" not in "\n".join(lines)


def test_a_user_is_made_once_and_given_roles(run: Run, db: Session) -> None:
    first = ok(run("create-user", "Ada", "--output-checker"))
    again = ok(run("create-user", "ada", "-o", "-s", "--email", "other@example.org", "--name", "Other"))
    assert first.splitlines() == ["User Ada created.", "Role OutputChecker added."]
    assert again.splitlines() == [
        "User Ada updated.",
        "Role OutputChecker was there already.",
        "Role StaffAreaAdministrator added.",
    ]
    user = db.scalars(select(User)).one()
    assert (user.username, user.email, user.fullname) == ("Ada", "ada@example.com", "Ada")
    assert user.roles == ["OutputChecker", "StaffAreaAdministrator"]
    assert {event.created_by for event in db.scalars(select(AuditableEvent))} == {"operator's command"}


def test_a_user_can_be_tied_to_one_github_account(run: Run, db: Session) -> None:
    assert "linked." in ok(run("create-user", "ada", "--github-id", "77"))
    assert "linked already" in ok(run("create-user", "ada", "--github-id", "77"))
    refused(run("create-user", "bob", "--github-id", "77"), "taken by another user")
    refused(run("create-user", "bob", "--github-id", "seventy"), "is a number")
    assert [user.username for user in db.scalars(select(User))] == ["ada"]
    assert db.scalars(select(GithubIdentity.uid)).one() == "77"


def test_malformed_and_taken_values_are_refused_in_one_line(run: Run, db: Session) -> None:
    ok(run("create-user", "ada"))
    refused(run("create-user", "a@b"), "username may have")
    refused(run("create-user", "bob", "--email", "ada@example.com"), "email “ada@example.com” is taken")
    refused(run("create-user", "bob", "--email", "nonsense"), "must be an address")
    assert count(db, User) == 1


def test_an_account_is_closed_and_opened(run: Run, db: Session) -> None:
    user, admin = factories.UserFactory(username="ada"), factories.UserFactory(username="admin")
    factories.session_cookie(user)
    assert ok(run("disable-user", "ada", "--by", "admin")) == "User ada disabled.\n"
    assert ok(run("disable-user", "ada", "--by", "admin")) == "User ada was disabled already.\n"
    assert count(db, UserSession) == 0
    assert db.get_one(User, user.id).disabled_by_id == admin.id
    assert ok(run("enable-user", "ada")) == "User ada enabled.\n"
    refused(run("disable-user", "nobody", "--by", "admin"), "no user “nobody”. Create one with")


def test_an_organisation_is_made_once(run: Run, db: Session) -> None:
    factories.UserFactory(username="ada")
    assert "created at /data-lab/" in ok(run("create-org", "Data Lab", "--github-org", "datalab"))
    again = ok(run("create-org", "data lab", "--member", "ada")).splitlines()
    assert again == ["Organisation data lab is there already.", "Member ada added."]
    refused(run("create-org", "Staff"), "“staff” is taken by a page of this site")
    assert (count(db, Org), count(db, OrgMembership)) == (1, 1)


def test_rows_of_every_table_are_counted(run: Run, db: Session) -> None:
    factories.UserFactory()
    lines = ok(run("count-rows")).splitlines()
    counts = {name.strip(): int(number) for name, number in (line.split(" | ") for line in lines)}
    assert counts["User"] == counts["alembic_version"] == 1
    assert counts["procrastinate_jobs"] == counts["JobRequest"] == 0
    assert list(counts) == sorted(counts, key=str.lower)


def test_expired_sessions_are_deleted(run: Run, db: Session) -> None:
    user = factories.UserFactory()
    factories.session_cookie(user)
    factories.session_cookie(user)
    db.scalars(select(UserSession)).first().expires_at = utcnow()
    db.commit()
    assert ok(run("clear-sessions")) == "1 expired session deleted.\n"
    assert count(db, UserSession) == 1


def test_migrating_twice_changes_nothing_the_second_time(run: Run) -> None:
    assert ok(run("migrate")) == ok(run("migrate")) == "The schema is at head.\n"
    refused(run("migrate", "--revision", "nonsense"), "nonsense")


def test_the_demonstration_is_loaded_once(run: Run, db: Session) -> None:
    models = (User, GithubIdentity, Org, Project, Workspace, Backend, ProjectMembership, AuditableEvent)
    ok(run("load-demonstration", str(DEMONSTRATION)))
    before = [count(db, model) for model in models]
    ok(run("load-demonstration", str(DEMONSTRATION)))
    assert [count(db, model) for model in models] == before
    content = json.loads(DEMONSTRATION.read_text())
    registered = [person for person in content["people"] if person["registered"]]
    assert before[:2] == [len(registered)] * 2
    researcher = db.scalars(select(User).where(User.username == "researcher")).one()
    assert db.scalars(select(ProjectMembership.roles).filter_by(user_id=researcher.id)).one() == [
        "ProjectDeveloper"
    ]


def test_the_demonstrations_released_files_are_stored_once(run: Run, db: Session, tmp_path: Path) -> None:
    load = ("load-demonstration", "--releases", str(DEMONSTRATION.parent / "released"), str(DEMONSTRATION))
    for _ in range(2):
        ok(run(*load, RELEASE_STORAGE=str(tmp_path)))
        assert count(db, Release) == 2
    files = db.scalars(select(ReleaseFile)).all()
    assert all((tmp_path / file.path).stat().st_size == file.size for file in files)
    tables = [file for file in files if file.name == "output/tables/table_one.csv"]
    assert len({file.filehash for file in tables}) == 2
    wishes = db.scalars(select(PublishRequest.decision).order_by(PublishRequest.id)).all()
    assert wishes == ["approved", None]


def test_what_a_developer_changed_survives_loading_the_demonstration_again(run: Run, db: Session) -> None:
    ok(run("load-demonstration", str(DEMONSTRATION)))
    db.scalars(select(User).where(User.username == "checker")).one().roles = []
    db.commit()
    ok(run("load-demonstration", str(DEMONSTRATION)))
    db.expire_all()
    assert db.scalars(select(User).where(User.username == "checker")).one().roles == []


def test_the_demonstrations_tokens_are_in_private_files_and_good(
    run: Run, db: Session, tmp_path: Path
) -> None:
    load = ("load-demonstration", str(DEMONSTRATION), "--tokens", str(tmp_path / "airlock"))
    file = tmp_path / "airlock" / "tpp-token"
    # A database from before there were such files.
    ok(run(*load[:2]))
    membership = select(BackendMembership).join(User, BackendMembership.user_id == User.id)
    db.delete(db.scalars(membership.where(User.username == "checker-two")).first())
    db.commit()
    everybody = count(db, BackendMembership) + 1
    said = ok(run(*load))
    token = file.read_text()
    assert token not in said
    assert (file.stat().st_mode & 0o777, callers.backend(db, token).slug) == (0o600, "tpp")
    assert count(db, BackendMembership) == everybody
    ok(run(*load))
    assert file.read_text() == token
    # Replaced by hand, the one in the file is good for another day, and then no more.
    ok(run("create-backend", "tpp"))
    ok(run(*load))
    assert file.read_text() == token
    ok(run("create-backend", "tpp"))
    ok(run(*load))
    assert file.read_text() != token
    db.rollback()
    assert callers.backend(db, file.read_text()).slug == "tpp"


def test_the_demonstration_is_refused_outside_development(run: Run, db: Session, tmp_path: Path) -> None:
    refused(run("load-demonstration", str(DEMONSTRATION), DEBUG="0"), "DEBUG is off")
    nonsense = tmp_path / "nonsense.json"
    nonsense.write_text("{}")
    result = run("load-demonstration", str(nonsense))
    assert (result.exit_code, count(db, User)) == (1, 0)
    assert "people" in result.stderr


def test_the_shell_runs_a_script_from_stdin(environ: dict[str, str], db: Session) -> None:
    factories.UserFactory(username="ada")
    script = (
        "import os\nfrom jobserver.models import *\n"
        "print(db.scalars(select(User.username)).all(), 'SENTRY_DSN' in os.environ)\n"
    )
    result = process({**environ, "SENTRY_DSN": "http://key@127.0.0.1:9/1"}, "shell", stdin=script)
    assert (result.returncode, result.stdout) == (0, "['ada'] False\n"), result.stderr


def test_a_script_that_fails_in_the_shell_keeps_nothing(environ: dict[str, str], db: Session) -> None:
    factories.UserFactory(username="ada")
    script = "db.scalars(select(User)).one().fullname = 'Changed'\ndb.flush()\nraise ValueError('no')\n"
    result = process(environ, "shell", stdin=script)
    assert result.returncode == 1
    assert "ValueError: no" in result.stderr
    db.expire_all()
    assert db.scalars(select(User.fullname)).one() != "Changed"
