"""What programs may read with a personal token (spec: access 4.8, 8.3; airlock 1.3, 12.3)."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from jobserver import models as m
from jobserver.actions import closing
from jobserver.clients.storage import ReleaseStorage
from jobserver.models import utcnow
from jobserver.security import callers
from tests import factories as f
from tests.web.api.publishing import Study, study
from tests.web.conftest import Browser

PERMITTED = {"detail": "You do not have permission to perform this action."}
REQUESTS = "/api/v2/job-requests/"


@pytest.fixture
def here(db: Session, storage: ReleaseStorage) -> Study:
    return study(storage)


def sent(token: str) -> dict[str, str]:
    """The header of a program."""
    return {"Authorization": token}


def addresses(here: Study) -> dict[str, str]:
    """Where a token may be shown, by what is there."""
    file = here.file("output/a.csv")
    return {
        "workspace": f"/api/v2/releases/workspace/{here.workspace.name}",
        "release": f"/api/v2/releases/release/{here.release.id}",
        "file": f"/api/v2/releases/file/{file.id}",
        "requests": REQUESTS,
    }


@pytest.mark.parametrize(
    ("scope", "opens"),
    [
        ("releases", {"workspace", "release", "file"}),
        ("workspaces", {"workspace"}),
        ("job_requests", {"requests"}),
    ],
)
def test_a_scope_opens_its_addresses_and_no_others(
    web: Browser, here: Study, scope: str, opens: set[str]
) -> None:
    token = f.personal_token(here.developer, scope)
    for name, address in addresses(here).items():
        if name in opens:
            web.get(address, headers=sent(token))
        else:
            detail = web.get(address, headers=sent(token), status=403).json["detail"]
            assert "This token does not have the scope" in detail


def test_a_token_reads_only_what_its_owner_may_read(web: Browser, here: Study) -> None:
    stranger = f.personal_token(f.UserFactory(), "releases", "workspaces", "job_requests")
    for name, address in addresses(here).items():
        if name != "requests":
            assert web.get(address, headers=sent(stranger), status=403).json == PERMITTED


def test_what_proves_nobody_is_refused_alike_everywhere(web: Browser, db: Session, here: Study) -> None:
    owner = here.developer
    gone = f.UserFactory()
    good = f.personal_token(owner, "releases", "job_requests")
    secret = good.partition(":")[2]
    refused = {
        "expired": f.personal_token(owner, "releases", "job_requests", expires_at=utcnow()),
        "revoked": f.personal_token(
            owner, "releases", "job_requests", revoked_at=utcnow(), revoked_by_id=owner.id
        ),
        "owner is disabled": f.personal_token(gone, "releases", "job_requests"),
        "somebody else's name": f"{f.UserFactory().username}:{secret}",
        "nobody's name": f"nobody:{secret}",
        "no name": f":{secret}",
        "another spelling": f"{owner.username.upper()}:{secret}",
        "cut short": good[:-1],
        "no token": f"{owner.username}:",
        "wrong": f"{owner.username}:{'0' * 64}-2099-01-01",
        "its digest": f"{owner.username}:{db.scalars(select(m.PersonalToken.digest)).first()}",
        "too long": f"{owner.username}:{'x' * 5000}",
        "not ASCII": f"{owner.username}:\xe9",
        "a NUL": f"{owner.username}\\0:x",
    }
    closing.disable(db, gone, by=f.UserFactory())
    db.commit()
    found = addresses(here)
    for address in (found["workspace"], found["file"], REQUESTS):
        web.get(address, headers=sent(good))
        for name, token in refused.items():
            assert web.get(address, headers=sent(token), status=403).json == PERMITTED, name


def test_a_bad_token_is_not_rescued_by_a_session(web: Browser, here: Study) -> None:
    web.sign_in(here.developer)
    web.get(REQUESTS)
    web.get(REQUESTS, headers=sent(f"{here.developer.username}:wrong"), status=403)


def test_tokens_change_nothing_and_open_no_page(web: Browser, here: Study) -> None:
    token = f.personal_token(here.developer, "releases", "workspaces", "job_requests")
    assert "/login/" in web.get("/settings/", headers=sent(token), status=303).location
    for address in (
        f"/api/v2/releases/workspace/{here.workspace.name}",
        f"/api/v2/releases/release/{here.release.id}",
        "/api/v2/jobs/",
        "/api/v2/airlock/events/",
        "/api/v2/releases/authenticate",
        here.snapshots,
    ):
        web.post_json(address, {}, headers={**sent(token), "OS-User": here.developer.username}, status=403)


def test_a_backend_still_sees_its_own_requests(web: Browser, db: Session) -> None:
    backend, secret = f.backend_with_token()
    f.JobRequestFactory(backend=backend, status="pending")
    f.JobRequestFactory(status="pending")
    assert web.get(REQUESTS, headers=sent(secret)).json["count"] == 1
    assert (
        web.get(REQUESTS, headers=sent(f.personal_token(f.UserFactory(), "job_requests"))).json["count"] == 2
    )


def test_tokens_are_compared_in_constant_time() -> None:
    assert "hmac.compare_digest(digest" in Path(callers.__file__).read_text()


def test_the_use_of_a_token_is_kept_at_most_hourly(
    web: Browser, db: Session, count_statements: Callable[[], Any]
) -> None:
    token = f.personal_token(f.UserFactory(), "job_requests")

    def used() -> Any:
        db.rollback()
        return db.scalars(select(m.PersonalToken.last_used_at)).one()

    def writes() -> int:
        with count_statements() as statements:
            web.get(REQUESTS, headers=sent(token))
        return len(statements.writes)

    assert used() is None
    assert writes() == 1
    first = used()
    assert utcnow() - first < timedelta(minutes=1)
    assert writes() == 0
    assert used() == first
    db.execute(update(m.PersonalToken).values(last_used_at=first - timedelta(hours=2)))
    db.commit()
    assert writes() == 1
    assert used() >= first
    # A refused try is no use.
    db.execute(update(m.PersonalToken).values(last_used_at=None))
    db.commit()
    web.get(f"/api/v2/releases/file/{'0' * 26}", headers=sent(token), status=403)
    assert used() is None
