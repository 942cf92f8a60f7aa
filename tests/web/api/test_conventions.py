"""What holds for every address of the JSON API (spec: airlock 1)."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from jobserver.models import utcnow
from jobserver.security import tokens
from tests import factories as f
from tests.web.conftest import Browser


@pytest.fixture(autouse=True)
def _workspace(db: Session) -> None:
    f.WorkspaceFactory(name="study-a")


def test_an_answer_is_json_without_spaces_and_says_what_is_allowed(web: Browser) -> None:
    answer = web.get("/api/v2/workspaces/study-a/status")
    assert answer.body == b'{"uses_new_release_flow":true}'
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert "Accept" in answer.headers["Vary"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "PATCH"])
def test_another_method_is_405(web: Browser, method: str) -> None:
    answer = web.request("/api/v2/workspaces/study-a/status", method=method, status=405)
    assert answer.json == {"detail": f'Method "{method}" not allowed.'}
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_head_and_options_work_where_get_does(web: Browser) -> None:
    assert web.head("/api/v2/workspaces/study-a/status").body == b""
    described = web.options("/api/v2/workspaces/study-a/status").json
    assert described["renders"] == ["application/json"]


def test_a_slash_too_many_is_no_address_of_the_api(web: Browser) -> None:
    answer = web.get("/api/v2/workspaces/study-a/status/", status=404)
    assert answer.content_type == "text/html"


def test_an_unknown_workspace_is_404(web: Browser) -> None:
    answer = web.get("/api/v2/workspaces/no-such/status", status=404)
    assert answer.json == {"detail": "No Workspace matches the given query."}


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html", "text/html,*/*;q=0.1", None])
def test_json_is_given_to_whoever_can_show_it(web: Browser, accept: str | None) -> None:
    headers = {"Accept": accept} if accept else {}
    assert web.get("/api/v2/workspaces/study-a/status", headers=headers).content_type == "application/json"


def test_whoever_cannot_gets_406(web: Browser) -> None:
    answer = web.get("/api/v2/workspaces/study-a/status", headers={"Accept": "image/png"}, status=406)
    assert answer.json == {"detail": "Could not satisfy the request Accept header."}


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Authorization header is missing"),
        ({"Authorization": ""}, "Authorization header is empty"),
        ({"Authorization": "wrong"}, "Invalid token"),
        ({"Authorization": "x" * 60_000}, "Invalid token"),
        ({"Authorization": "Ünïcode".encode().decode("latin-1")}, "Invalid token"),
    ],
)
def test_a_backend_shows_its_token(web: Browser, headers: dict[str, str], detail: str) -> None:
    for address in ("/api/v2/releases/authenticate", "/api/v2/releases/workspace/no-such-workspace"):
        answer = web.post(address, "{}", headers=headers, status=403)
        assert answer.json == {"detail": detail}, "403 whether or not the thing exists"
        assert "WWW-Authenticate" not in answer.headers


def test_the_scheme_word_bearer_makes_a_token_invalid(web: Browser, db: Session) -> None:
    _, token = f.backend_with_token()
    headers = {"Authorization": f"Bearer {token}"}
    answer = web.post("/api/v2/releases/authenticate", "{}", headers=headers, status=403)
    assert answer.json == {"detail": "Invalid token"}


def test_an_inactive_backend_is_refused(web: Browser, db: Session) -> None:
    _, token = f.backend_with_token(is_active=False)
    answer = web.post("/api/v2/airlock/events/", "{}", headers={"Authorization": token}, status=403)
    assert answer.json == {"detail": "Invalid token"}


def test_the_token_before_is_good_until_its_time_is_over(web: Browser, db: Session) -> None:
    backend, _ = f.backend_with_token()
    backend.previous_token_digest = tokens.digest("the one before")
    for hours, detail in ((1, "No Workspace matches the given query."), (-1, "Invalid token")):
        backend.previous_token_expires_at = utcnow() + timedelta(hours=hours)
        db.commit()
        user = f.UserFactory()
        f.BackendMembershipFactory(backend=backend, user=user)
        headers = {"Authorization": "the one before", "OS-User": user.username}
        answer = web.post("/api/v2/releases/workspace/nowhere", "{}", headers=headers, status="*")
        assert answer.json == {"detail": detail}


def test_a_session_beside_a_token_counts_for_nothing(web: Browser, db: Session) -> None:
    web.sign_in(f.UserFactory(roles=["OutputChecker"]))
    answer = web.get(
        "/api/v2/releases/workspace/study-a", headers={"Authorization": "nobody:nothing"}, status=403
    )
    assert answer.json == {"detail": "You do not have permission to perform this action."}
