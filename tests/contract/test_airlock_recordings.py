"""Everything that a real Airlock sent, sent again to the running server in the same order."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from jobserver import models as m
from jobserver.models import utcnow
from jobserver.models.choices import ReleaseRequestState
from jobserver.security import level4, tokens
from tests import factories as f
from tests.browser.conftest import System, free_port
from tests.conftest import ROOT
from tests.contract.airlock import Answer, Exchange, differences, recorded

SECRET_KEY = "a key for the recordings only"
MANY_FILES = "create release: same request again while files are uploading"


class World:
    """What the recorded requests name, changed between them as it was when they were recorded."""

    def __init__(self, db: Session) -> None:
        self.db = db
        self.backend = f.BackendFactory(slug="tpp", name="TPP", token_digest=tokens.digest("backend-token"))
        lead, other = (
            f.OrgFactory(name=name, slug=slug)
            for name, slug in (("University of Somewhere", "university"), ("An Institute", "institute"))
        )
        project = f.ProjectFactory(name="Study", slug="study", org=lead, other_orgs=[other])
        people = {"researcher-1": [], "checker-1": ["OutputChecker"], "checker-2": ["OutputChecker"]}
        for name, roles in {**people, "deployer-1": ["DeploymentAdministrator"]}.items():
            words = name.replace("-1", " One").replace("-2", " Two").title()
            user = f.UserFactory(username=name, fullname=words, email=f"{name}@example.org", roles=roles)
            f.GithubIdentityFactory(user=user)
            if name != "checker-2":
                f.BackendMembershipFactory(user=user, backend=self.backend)
        researcher = self.person("researcher-1")
        f.ProjectMembershipFactory(project=project, user=researcher, roles=["ProjectDeveloper"])
        for letter in "abcdefghij":
            f.WorkspaceFactory(name=f"study-{letter}", project=project, is_archived=letter == "j")

    def person(self, name: str) -> m.User:
        return self.db.scalars(select(m.User).where(m.User.username == name)).one()

    def give_token(self, name: str, words: str) -> None:
        """As if they had just made this token."""
        user = self.person(name)
        user.login_token = level4.hashed(words, SECRET_KEY)
        user.login_token_expires_at = utcnow() + timedelta(hours=1)
        self.db.commit()

    def join(self, name: str) -> None:
        """They get access to the backend."""
        f.BackendMembershipFactory(user=self.person(name), backend=self.backend)

    def leave(self, name: str) -> None:
        """They lose access to the backend."""
        user_id = self.person(name).id
        self.db.execute(delete(m.BackendMembership).where(m.BackendMembership.user_id == user_id))
        self.db.commit()

    def announce_other_content(self, release_id: str) -> None:
        """Another hash was announced than that of the bytes that were recorded, which fit."""
        of_release = m.ReleaseFile.release_id == release_id
        self.db.execute(update(m.ReleaseFile).where(of_release).values(filehash="0" * 64))
        self.db.commit()

    def lose_release(self, id_: str) -> None:
        """The release is gone."""
        self.db.execute(delete(m.ReleaseFile).where(m.ReleaseFile.release_id == id_))
        self.db.execute(delete(m.Release).where(m.Release.id == id_))
        self.db.commit()


BEFORE: dict[str, Callable[[World], None]] = {
    "authenticate: right token, by username, project developer": lambda world: world.give_token(
        "researcher-1", "motor strum tingly"
    ),
    "authenticate: right token, by e-mail address, output checker": lambda world: world.give_token(
        "checker-1", "gents sadness sadly"
    ),
    "authenticate: right token, read-only access": lambda world: world.give_token(
        "deployer-1", "reprimand dilute panning"
    ),
    "event: second review": lambda world: world.join("checker-2"),
    "create release: releasing user is no member of the backend": lambda world: world.leave("checker-2"),
    "event: approved, several files": lambda world: world.join("checker-2"),
    "upload: content differs from the sha256 sent on creation": lambda world: world.announce_other_content(
        "01M84YWK9TDE82HC7CFPYS51A8"
    ),
    "upload: release is gone": lambda world: world.lose_release("01M84YWK9TDE82HC7CFPYS51A8"),
    "tolerated: authenticate answers with the username alone": lambda world: world.give_token(
        "researcher-1", "river pepper lantern"
    ),
}


@pytest.fixture
def server(postgres: str, db: Session, tmp_path: Path) -> Iterator[System]:
    """The web server as a program of its own, without a worker and without an outside world."""
    port = free_port()
    environment = {
        **os.environ,
        "JOBSERVER_INI": str(ROOT / "development.ini"),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": postgres,
        "SECRET_KEY": SECRET_KEY,
        "DEBUG": "false",
        "RELEASE_STORAGE": str(tmp_path / "releases"),
    }
    running = System(f"http://127.0.0.1:{port}", None, environment, tmp_path / "web.log")
    running.start("web", "--host", "127.0.0.1", "--port", str(port))
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


def test_airlock_gets_the_answers_that_it_knows(server: System, db: Session, tmp_path: Path) -> None:
    world = World(db)
    exchanges = recorded()
    names = {each.name for each in exchanges}
    assert len(names) == len(exchanges) > 30
    assert names >= BEFORE.keys()
    wrong = {}
    for exchange in exchanges:
        BEFORE.get(exchange.name, lambda _: None)(world)
        if exchange.name == "event: approved, several files":
            # This one was recorded when it was sent for the second time.
            first = next(each for each in exchanges if each.name == MANY_FILES)
            assert first.send(server.base_url).status == 201
        found = differences(server.base_url, exchange.answer, exchange.send(server.base_url))
        if found:
            wrong[exchange.name] = found
    assert wrong == {}
    assert_kept(db, exchanges, tmp_path / "releases")


def assert_kept(db: Session, exchanges: list[Exchange], folder: Path) -> None:
    """What was sent is there: the files' bytes, and where each release request stands."""
    sent = sorted(
        each.body.encode()
        for each in exchanges
        if each.name.startswith("upload:") and each.answer.status == 201
    )
    assert len(sent) == 4
    assert sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file()) == sent
    states = {each.id: each.state for each in db.scalars(select(m.ReleaseRequest))}
    assert states == {
        "01M84YW5GNHCWC70E74K0PWK9X": ReleaseRequestState.RELEASED,
        "01M84YWHK5VGP2CN72PPT2K01S": ReleaseRequestState.WITHDRAWN,
        "01M84YWJCVP5ZYBPHTC62HCBS8": ReleaseRequestState.REJECTED,
        "01M84YWK9TDE82HC7CFPYS51A8": ReleaseRequestState.APPROVED,
        "01M84YX9EH878F9523WK3K4QQT": ReleaseRequestState.SUBMITTED,
        "01M84Y6EDMQK58DBF501TP3W1F": ReleaseRequestState.SUBMITTED,
    }


def test_the_comparison_sees_what_airlock_would_see() -> None:
    wanted = next(each for each in recorded() if each.name == "upload: same file again").answer
    same = Answer(400, {"Content-Type": "application/json"}, dict(wanted.body))
    assert differences("http://x", wanted, same) == []
    for status, headers, body in (
        (201, same.headers, same.body),
        (400, {"Content-Type": "text/html"}, same.body),
        (400, same.headers, {"detail": "It is there."}),
        (400, same.headers, {"detail": same.body["detail"], "more": 1}),
        (400, same.headers, [same.body["detail"]]),
    ):
        assert len(differences("http://x", wanted, Answer(status, headers, body))) == 1
