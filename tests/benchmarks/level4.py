"""Airlock's calls for somebody with 200 workspaces, over HTTP, against one process.

Authorise comes with each page view of everybody who is signed in to Level 4; authenticate once for each token,
which is put into the database before each call.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection

from sqlalchemy import Engine, text, update
from sqlalchemy.orm import Session

from jobserver.models import (
    Backend,
    BackendMembership,
    GithubIdentity,
    Project,
    ProjectMembership,
    Role,
    User,
    Workspace,
    utcnow,
)
from jobserver.security import level4, tokens
from tests.benchmarks.configuration import settings_for
from tests.benchmarks.measuring import Figures
from tests.benchmarks.server import SECONDS, STATEMENTS
from tests.benchmarks.stack import Databases, Served, served
from tests.benchmarks.table import print_line, verdict

FEW, MANY, PROJECTS = 10, 200, 4
MOST_MS, MOST_STATEMENTS, MOST_GROWTH_MS = 15.0, 6, 5.0
# The one statement that asks for the mail is sent beside those that are counted.
UNCOUNTED = {"authenticate": 1, "authorise": 0}
TOKEN = "river pepper lantern"


@dataclass(frozen=True)
class Caller:
    """A backend with its secret, and people with few and with many workspaces."""

    secret: str
    people: dict[int, str]


def measure_level4(databases: Databases, sample: str, rounds: int) -> bool:
    """Print what the two calls take; whether they all answered as they should."""
    with databases.copy(sample) as address, served(address) as server:
        caller = _prepare(server.engine)
        good = True
        for call in ("authorise", "authenticate"):
            found = {number: Figures() for number in (FEW, MANY)}
            for turn in range(rounds * 2 + 3):
                for number, figures in found.items():
                    good = _ask(server, caller, call, number, figures, counts=turn > 2) and good
            _report(call, found)
    return good


def _report(call: str, found: dict[int, Figures]) -> None:
    many = found[MANY]
    name = f"Airlock: {call}, {MANY} workspaces"
    print_line(verdict(f"{name}, time", many.ms, MOST_MS, "ms"))
    print_line(verdict(f"{name}, SQL", many.statements + UNCOUNTED[call], MOST_STATEMENTS, ""))
    print_line(verdict(f"{name}, more than for {FEW}", many.ms - found[FEW].ms, MOST_GROWTH_MS, "ms"))


def _ask(server: Served, caller: Caller, call: str, number: int, figures: Figures, *, counts: bool) -> bool:
    body = {"user": caller.people[number]}
    if call == "authenticate":
        _give_token(server.engine, caller.people[number])
        body["token"] = TOKEN
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Authorization": caller.secret, "Content-Type": "application/json", "Accept": "*/*"}
    connection.request("POST", f"/api/v2/releases/{call}", json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if counts:
        figures.status, figures.statements = answer.status, int(answer.headers[STATEMENTS])
        figures.times.append(float(answer.headers[SECONDS]) * 1000)
    if answer.status == 200 and len(json.loads(content)["workspaces"]) == number:
        return True
    print_line(f"Airlock: {call} answered {answer.status}: {content[:200]!r}")
    return False


def _give_token(engine: Engine, username: str) -> None:
    key = settings_for("postgresql://nowhere/").secret_key
    stored = {
        "login_token": level4.hashed(TOKEN, key),
        "login_token_expires_at": utcnow() + timedelta(hours=1),
    }
    with Session(engine) as db:
        db.execute(update(User).where(User.username == username).values(stored))
        db.commit()


def _prepare(engine: Engine) -> Caller:
    secret = tokens.new_backend_token()
    with Session(engine) as db:
        backend = Backend(slug="bench", name="Bench", is_active=True, token_digest=tokens.digest(secret))
        db.add(backend)
        db.flush()
        people = {number: _person(db, backend.id, number) for number in (FEW, MANY)}
        db.commit()
        db.execute(text("ANALYZE"))
        db.commit()
    return Caller(secret, people)


def _person(db: Session, backend_id: int, number: int) -> str:
    user = User(username=f"bench-{number}", fullname="Somebody", email=f"bench-{number}@example.org")
    db.add(user)
    db.flush()
    db.add(GithubIdentity(user_id=user.id, uid=f"bench-{number}", login=user.username))
    db.add(BackendMembership(backend_id=backend_id, user_id=user.id))
    # Projects of the sample with workspaces of their own are left alone.
    like = db.query(Workspace).first()
    assert like is not None
    lead = db.get_one(Project, like.project_id).org_id
    for part in range(PROJECTS):
        project = Project(
            name=f"Bench {number}, {part}",
            slug=f"bench-{number}-{part}",
            org_id=lead,
            created_by_id=user.id,
            updated_by_id=user.id,
        )
        db.add(project)
        db.flush()
        db.execute(
            text(
                "INSERT INTO project_collaboration (project_id, org_id, created_at, created_by_id, updated_at,"
                " updated_by_id) SELECT :project, id, now(), :by, now(), :by FROM org"
                " ORDER BY id <> :lead, id LIMIT 3"
            ),
            {"project": project.id, "lead": lead, "by": user.id},
        )
        db.add(
            ProjectMembership(project_id=project.id, user_id=user.id, roles=[Role.PROJECT_DEVELOPER.value])
        )
        who = {"created_by_id": user.id, "updated_by_id": user.id}
        for each in range(part, number, PROJECTS):
            name = f"bench-{number}-{each}"
            db.add(Workspace(name=name, project_id=project.id, repo_id=like.repo_id, branch="main", **who))
    return user.username
