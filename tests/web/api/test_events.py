"""``POST /api/v2/airlock/events/``: what Airlock tells of release requests (spec: airlock 8)."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from jobserver.models import (
    Backend,
    Release,
    ReleaseRequest,
    ReleaseRequestEvent,
    User,
    Workspace,
    utcnow,
)
from jobserver.models.choices import AirlockEventType
from jobserver.queries.release_requests import STEPS, Channel, Whose, history, whose_turn
from jobserver.security import tokens
from tests import factories as f
from tests.web.conftest import Browser

ADDRESS = "/api/v2/airlock/events/"
ISSUE, POST, MAIL = "release_request_issue", "release_request_post", "release_request_mail"
MISSING = object()


@dataclass
class Airlock:
    """An Airlock that tells of one request."""

    web: Browser
    db: Session
    backend: Backend
    token: str
    workspace: Workspace
    author: User
    checker: User
    request: str

    def body(self, kind: Any, **changes: Any) -> dict[str, Any]:
        values = {
            "event_type": kind,
            "workspace": self.workspace.name,
            "request": self.request,
            "request_author": self.author.username,
            "user": self.checker.username,
            "updates": None,
            **changes,
        }
        return {key: value for key, value in values.items() if value is not MISSING}

    def send(self, body: Any, status: int = 201) -> dict[str, Any]:
        text = body if isinstance(body, str) else json.dumps(body)
        headers = {"Authorization": self.token, "Content-Type": "application/json", "OS-User": "ignored"}
        answer: dict[str, Any] = self.web.post(ADDRESS, text, headers=headers, status=status).json
        return answer

    def tell(self, *event_types: str, **changes: Any) -> None:
        for each in event_types:
            assert self.send(self.body(each, **changes)) == {"status": "ok"}

    def stored(self) -> ReleaseRequest:
        self.db.rollback()
        self.db.expire_all()
        found = self.db.get(ReleaseRequest, self.request)
        assert found is not None
        return found

    def events(self) -> list[tuple[int, str]]:
        self.db.rollback()
        rows = self.db.execute(
            select(ReleaseRequestEvent.turn, ReleaseRequestEvent.event_type).order_by(ReleaseRequestEvent.id)
        )
        return [(turn, event_type) for turn, event_type in rows]

    def tasks(self) -> list[str]:
        self.db.rollback()
        return list(self.db.scalars(text("SELECT task_name FROM procrastinate_jobs ORDER BY id")))


@pytest.fixture
def airlock(web: Browser, db: Session) -> Airlock:
    backend, token = f.backend_with_token(slug="tpp")
    author, checker = f.UserFactory(username="researcher-1"), f.UserFactory(username="checker-1")
    for user in (author, checker):
        f.BackendMembershipFactory(backend=backend, user=user)
    workspace = f.WorkspaceFactory(name="study-a")
    return Airlock(web, db, backend, token, workspace, author, checker, tokens.new_ulid())


def test_an_event_is_stored_and_answered_at_once(airlock: Airlock) -> None:
    airlock.tell("request_submitted", user=airlock.author.username)
    found = airlock.stored()
    assert (found.state, found.turn, found.workspace_id) == ("submitted", 1, airlock.workspace.id)
    assert (found.backend_id, found.author_id) == (airlock.backend.id, airlock.author.id)
    assert airlock.events() == [(1, "request_submitted")]
    assert airlock.tasks() == [ISSUE]


def test_a_request_never_heard_of_begins_where_the_event_says(airlock: Airlock) -> None:
    for event_type, state, tasks in (
        ("request_submitted", "submitted", [ISSUE]),
        ("request_resubmitted", "submitted", [ISSUE, POST]),
        ("request_partially_reviewed", "partially_reviewed", [ISSUE, POST]),
        ("request_reviewed", "reviewed", [ISSUE, POST]),
        ("request_returned", "returned", [ISSUE, POST, MAIL]),
        ("request_approved", "approved", [ISSUE, POST, MAIL]),
        ("request_released", "released", [ISSUE, MAIL]),
        ("request_rejected", "rejected", [ISSUE, MAIL]),
        ("request_withdrawn", "withdrawn", []),
        ("Request_APPROVED", "approved", [ISSUE, POST, MAIL]),
    ):
        airlock.request, before = tokens.new_ulid(), airlock.tasks()
        airlock.tell(event_type)
        assert airlock.stored().state == state
        assert airlock.tasks()[len(before) :] == tasks


def test_tasks_of_a_request_wait_for_each_other_by_channel(airlock: Airlock) -> None:
    airlock.tell("request_submitted", "request_reviewed", "request_approved")
    airlock.db.rollback()
    locks = airlock.db.execute(text("SELECT task_name, lock FROM procrastinate_jobs")).all()
    place = f"release_request:{airlock.request}"
    assert set(locks) == {(ISSUE, f"{place}:issue"), (POST, f"{place}:slack"), (MAIL, f"{place}:mail")}


def test_withdrawing_closes_the_issue_of_a_request_that_was_submitted(airlock: Airlock) -> None:
    airlock.tell("request_submitted", "request_withdrawn")
    assert airlock.tasks() == [ISSUE, ISSUE]


def test_a_repeated_event_has_no_effect(airlock: Airlock) -> None:
    for _ in range(3):
        airlock.tell("request_submitted")
    airlock.tell("request_returned")
    since = airlock.stored().state_since
    airlock.tell("request_returned", "request_submitted")
    assert airlock.events() == [(1, "request_submitted"), (1, "request_returned")]
    assert airlock.stored().state_since == since
    assert airlock.tasks() == [ISSUE, ISSUE, POST, MAIL]


def test_a_resubmission_begins_a_turn_unless_it_repeats_the_newest_event(airlock: Airlock) -> None:
    airlock.tell("request_submitted", "request_partially_reviewed", "request_returned")
    airlock.tell("request_resubmitted", "request_resubmitted")
    assert (airlock.stored().state, airlock.stored().turn) == ("submitted", 2)
    airlock.tell("request_partially_reviewed", "request_partially_reviewed", "request_returned")
    airlock.tell("request_resubmitted")
    assert airlock.events()[3:] == [
        (2, "request_resubmitted"),
        (2, "request_partially_reviewed"),
        (2, "request_returned"),
        (3, "request_resubmitted"),
    ]


def test_a_late_event_is_kept_but_does_not_bring_the_request_back(airlock: Airlock) -> None:
    airlock.tell("request_submitted", "request_released", "request_approved")
    assert airlock.stored().state == "released"
    assert len(airlock.events()) == 3


@pytest.mark.parametrize(
    ("event_type", "status"),
    [
        ("request_submitted", "REQUESTED"),
        ("request_approved", "APPROVED"),
        ("request_released", "APPROVED"),
        ("request_rejected", "REJECTED"),
    ],
)
def test_the_release_gets_its_status(airlock: Airlock, event_type: str, status: str) -> None:
    release = f.ReleaseFactory(id=airlock.request, workspace=airlock.workspace, backend=airlock.backend)
    airlock.tell(event_type)
    airlock.db.rollback()
    airlock.db.expire_all()
    found = airlock.db.get(Release, release.id)
    assert found is not None
    assert found.status == status


def test_a_release_of_another_backend_or_workspace_is_not_touched(airlock: Airlock) -> None:
    other = f.BackendFactory()
    f.ReleaseFactory(id=airlock.request, workspace=airlock.workspace, backend=other)
    answer = airlock.send(airlock.body("request_approved"), 400)
    assert answer["message"].startswith("request: ")
    airlock.request = f.ReleaseFactory(backend=airlock.backend).id
    answer = airlock.send(airlock.body("request_approved"), 400)
    assert answer["message"].startswith("workspace: ")
    airlock.db.rollback()
    assert set(airlock.db.scalars(select(Release.status))) == {"REQUESTED"}
    assert airlock.events() == []
    assert airlock.tasks() == []


def test_updates_are_kept_with_update_type_winning(airlock: Airlock) -> None:
    given = [
        {"update": "3 files will be uploaded"},
        {"update": "not this", "update_type": "file added", "group": "tables", "user": "checker-1"},
        {"update": "a file was moved", "group": None, "user": "", "other": [1]},
    ]
    airlock.tell("request_approved", updates=given)
    airlock.db.rollback()
    (event,) = history(airlock.db, airlock.request)
    assert event.updates == (
        "3 files will be uploaded",
        "file added (filegroup tables) by user checker-1",
        "a file was moved",
    )


def test_what_is_only_too_long_is_kept_as_far_as_it_goes(airlock: Airlock) -> None:
    """An event that is refused is lost: Airlock never repeats it (spec: airlock 8.1, 10)."""
    long = {"update": "x" * 501, "group": "g" * 256, "user": "u" * 256}
    airlock.tell("request_returned", updates=[long, {"update": "not this", "update_type": "y" * 100_000}])
    airlock.tell("request_approved", updates=[{"update": "z" * 500}] * 2101)
    airlock.db.rollback()
    returned, approved = history(airlock.db, airlock.request)
    assert returned.updates == (
        f"{'x' * 499}… (filegroup {'g' * 254}…) by user {'u' * 254}…",
        f"{'y' * 499}…",
    )
    assert approved.updates == (*["z" * 500] * 100, "… and 2,001 more")


def test_an_event_that_names_no_request_is_of_the_one_that_goes_on(airlock: Airlock) -> None:
    def tell(event_type: str, request: Any = MISSING) -> None:
        airlock.tell(event_type, request=request)

    def requests() -> list[tuple[str, str, str]]:
        airlock.db.rollback()
        columns = (ReleaseRequest.author_id, ReleaseRequest.workspace_id, ReleaseRequest.state)
        rows = airlock.db.execute(select(*columns).order_by(ReleaseRequest.created_at))
        people = {airlock.author.id: "author", airlock.checker.id: "other author"}
        return [(people[by], "here" if at == study.id else "elsewhere", state) for by, at, state in rows]

    study = airlock.workspace
    tell("request_submitted")
    tell("request_submitted", None)
    tell("request_returned", " ")
    assert requests() == [("author", "here", "returned")]
    airlock.tell("request_submitted", request=MISSING, request_author=airlock.checker.username)
    airlock.workspace = f.WorkspaceFactory()
    tell("request_submitted")
    airlock.workspace = study
    tell("request_released")
    tell("request_released")
    others = [("other author", "here", "submitted"), ("author", "elsewhere", "submitted")]
    assert requests() == [("author", "here", "released"), *others]
    tell("request_submitted")
    tell("request_withdrawn")
    assert requests() == [("author", "here", "released"), *others, ("author", "here", "withdrawn")]


def test_the_repository_that_airlock_names_is_kept(airlock: Airlock) -> None:
    airlock.tell("request_submitted", org="example-org", repo="output-review")
    airlock.tell("request_returned")
    assert airlock.stored().checking_repo == "example-org/output-review"


def test_null_or_empty_org_and_repo_are_none_at_all(airlock: Airlock) -> None:
    airlock.tell("request_submitted", org=None, repo="")
    assert airlock.stored().checking_repo == ""


WRONG = [
    ("event_type", MISSING),
    ("event_type", None),
    ("event_type", " "),
    ("event_type", ["request_submitted"]),
    ("event_type", True),
    ("workspace", MISSING),
    ("workspace", None),
    ("workspace", ""),
    ("workspace", {}),
    ("workspace", "no-such-workspace"),
    ("workspace", "STUDY-A"),
    ("workspace", "a\0b"),
    ("workspace", "x" * 256),
    ("request", False),
    ("request", "x" * 101),
    ("request", "a\nb"),
    ("request_author", MISSING),
    ("request_author", "nobody"),
    ("request_author", "outsider"),
    ("request_author", []),
    ("user", MISSING),
    ("user", "nobody"),
    ("user", "outsider"),
    ("user", {"name": "checker-1"}),
    ("updates", "text"),
    ("updates", {"update": "x"}),
    ("updates", 3),
    ("updates.0", [None]),
    ("updates.0", ["text"]),
    ("updates.0", [{}]),
    ("updates.0", [{"update": ""}]),
    ("updates.0.update", [{"update": ["x"]}]),
    ("updates.1.group", [{"update": "x"}, {"update": "x", "group": ["a"]}]),
    ("updates.0.user", [{"update": "x", "user": {}}]),
    ("org", "-"),
    ("org", "a/b"),
    ("org", True),
    ("repo", ".."),
    ("repo", "a b"),
    ("repo", "owner/name"),
]


def test_what_is_wrong_is_named_and_nothing_is_kept(airlock: Airlock) -> None:
    f.UserFactory(username="outsider")
    for key, value in WRONG:
        changes: dict[str, object] = {"org": "o", "repo": "r"} if key in {"org", "repo"} else {}
        changes[key.partition(".")[0]] = value
        answer = airlock.send(airlock.body("request_submitted", **changes), 400)
        assert answer["status"] == "error"
        assert answer["message"].startswith(f"{key}: "), (key, value, answer)
        assert set(answer) == {"status", "message"}
    assert airlock.events() == []
    assert airlock.tasks() == []


@pytest.mark.parametrize(("given", "missing"), [("org", "repo"), ("repo", "org")])
def test_a_repository_is_named_whole(airlock: Airlock, given: str, missing: str) -> None:
    answer = airlock.send(airlock.body("request_submitted", **{given: "something"}), 400)
    assert answer["message"].startswith(f"{missing}: ")


def test_a_body_that_is_no_object_is_refused_in_the_same_shape(airlock: Airlock) -> None:
    bodies: list[object] = [[], "text", 3, None, True]
    for body in bodies:
        answer = airlock.send(json.dumps(body), 400)
        assert answer["status"] == "error"
        assert answer["message"].startswith("body: ")


def test_a_body_that_is_no_json_is_400(airlock: Airlock) -> None:
    for body in ("{", "", '{"event_type": }', "\x00", "[" * 5000):
        assert airlock.send(body, 400)


def test_every_error_is_told_at_once(airlock: Airlock) -> None:
    answer = airlock.send({}, 400)
    for key in ("event_type", "workspace", "request_author", "user"):
        assert f"{key}: This field is required." in answer["message"]


def test_a_request_whose_page_could_have_no_address_is_refused(airlock: Airlock) -> None:
    for name in ("a/b", "..", "a\nb", "x" * 101):
        answer = airlock.send(airlock.body("request_submitted", request=name), 400)
        assert answer["message"].startswith("request: ")


def test_an_unknown_event_is_answered_as_ever(airlock: Airlock) -> None:
    for event_type in ("request_evaporated", "x" * 5000, "ŧ", 7):
        for body in (airlock.body(event_type), {"event_type": event_type}):
            answer = airlock.send(body, 201)
            assert answer["status"] == "error"
            assert answer["message"].startswith("event_type: ")
            assert len(answer["message"]) < 200
    assert airlock.events() == []


def test_without_a_backends_token_it_is_403(airlock: Airlock) -> None:
    body = json.dumps(airlock.body("request_submitted"))
    airlock.web.post(ADDRESS, body, status=403)
    airlock.web.sign_in(f.UserFactory(roles=["StaffAreaAdministrator"]))
    airlock.web.post(ADDRESS, body, headers={"Content-Type": "application/json"}, status=403)


def test_without_its_slash_the_address_redirects(airlock: Airlock) -> None:
    headers = {"Authorization": airlock.token, "Content-Type": "application/json"}
    answer = airlock.web.post(ADDRESS.rstrip("/"), "{}", headers=headers, status="3*")
    assert answer.location.endswith(ADDRESS)


def test_a_known_request_stays_its_own(airlock: Airlock) -> None:
    airlock.tell("request_submitted")
    other = f.WorkspaceFactory(name="other-study")
    answer = airlock.send(airlock.body("request_returned", workspace=other.name), 400)
    assert answer["message"].startswith("workspace: ")
    answer = airlock.send(airlock.body("request_returned", request_author="checker-1"), 400)
    assert answer["message"].startswith("request_author: ")
    _, airlock.token = f.backend_with_token(slug="emis")
    answer = airlock.send(airlock.body("request_returned"), 400)
    assert answer["message"].startswith("request: ")
    assert airlock.events() == [(1, "request_submitted")]


def test_people_who_have_lost_access_or_are_disabled_still_count_for_a_known_request(
    airlock: Airlock,
) -> None:
    airlock.tell("request_submitted")
    airlock.db.execute(text("DELETE FROM backend_membership"))
    airlock.author.disabled_at, airlock.author.disabled_by_id = utcnow(), airlock.checker.id
    airlock.db.commit()
    airlock.tell("request_returned", user="CHECKER-1")
    assert airlock.stored().state == "returned"


def test_few_statements_whatever_there_is(airlock: Airlock, count_statements: Callable[[], Any]) -> None:
    f.ReleaseFactory(id=airlock.request, workspace=airlock.workspace, backend=airlock.backend)
    airlock.send(airlock.body("request_submitted"))
    for event_type in ("request_returned", "request_resubmitted", "request_approved", "request_approved"):
        with count_statements() as sent:
            airlock.tell(event_type)
        assert len(sent) <= 11, list(sent)
    airlock.request = tokens.new_ulid()
    f.ReleaseFactory(id=airlock.request, workspace=airlock.workspace, backend=airlock.backend)
    with count_statements() as sent:
        airlock.tell("request_approved")
    assert len(sent) <= 11, list(sent)


def test_of_300_events_in_a_row_none_is_lost_and_each_is_told_once(airlock: Airlock) -> None:
    for _ in range(50):
        airlock.request = tokens.new_ulid()
        airlock.tell("request_submitted", "request_submitted", "request_partially_reviewed")
        airlock.tell("request_reviewed", "request_reviewed", "request_rejected")
    airlock.db.rollback()
    assert airlock.db.scalar(select(func.count()).select_from(ReleaseRequestEvent)) == 200
    tasks = airlock.tasks()
    assert [tasks.count(each) for each in (ISSUE, POST, MAIL)] == [200, 100, 50]
    told = airlock.db.execute(text("SELECT count(DISTINCT (task_name, args)) FROM procrastinate_jobs"))
    assert told.scalar() == len(tasks)


def test_events_at_the_same_moment_are_kept_once(airlock: Airlock, app: Any) -> None:
    answers: list[Any] = []
    start = threading.Barrier(6)

    def send(event_type: str) -> None:
        start.wait()
        answers.append(replace(airlock, web=Browser(app)).send(bodies[event_type]))

    kinds = ("request_submitted", "request_reviewed") * 3
    bodies = {each: airlock.body(each) for each in kinds}
    threads = [threading.Thread(target=send, args=(each,)) for each in kinds]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert answers == [{"status": "ok"}] * 6
    assert sorted(airlock.events()) == [(1, "request_reviewed"), (1, "request_submitted")]
    assert airlock.stored().state == "reviewed"
    assert sorted(airlock.tasks()) == [ISSUE, ISSUE, POST]


def test_the_history_says_who_when_and_what_is_out(
    airlock: Airlock, count_statements: Callable[[], Any]
) -> None:
    airlock.tell("request_submitted", user=airlock.author.username)
    airlock.tell("request_partially_reviewed", "request_reviewed", "request_returned")
    now = utcnow()
    airlock.db.execute(
        text(
            "UPDATE release_request_event SET mail_at = :now, issue_at = :now, comment_url = 'https://x'"
            " WHERE event_type = 'request_returned'"
        ),
        {"now": now},
    )
    airlock.db.commit()
    with count_statements() as sent:
        told = history(airlock.db, airlock.request)
    assert len(sent) == 1
    assert [(each.words, each.username) for each in told] == [
        ("Submitted", "researcher-1"),
        ("First review handed in", "checker-1"),
        ("Second review handed in", "checker-1"),
        ("Returned", "checker-1"),
    ]
    out = [(each.channel, each.at, each.url) for each in told[-1].notifications]
    assert out == [
        (Channel.ISSUE, now, "https://x"),
        (Channel.SLACK, None, ""),
        (Channel.MAIL, now, ""),
    ]


def test_an_author_who_gets_no_mail_is_not_waited_for(airlock: Airlock) -> None:
    airlock.tell("request_rejected")
    airlock.author.email = None
    airlock.db.commit()
    (event,) = history(airlock.db, airlock.request)
    assert [each.channel for each in event.notifications] == [Channel.ISSUE]


def test_nobody_is_told_of_the_withdrawal_of_what_was_never_submitted(airlock: Airlock) -> None:
    airlock.tell("request_withdrawn")
    (event,) = history(airlock.db, airlock.request)
    assert event.notifications == ()


def test_it_is_always_clear_whose_turn_it_is() -> None:
    turns: dict[str, Whose] = {step.state: whose_turn(step.state) for step in STEPS.values()}
    assert turns["submitted"] is turns["partially_reviewed"] is turns["reviewed"] is Whose.CHECKERS
    assert turns["returned"] is Whose.AUTHOR
    assert turns["approved"] is Whose.AIRLOCK
    assert turns["released"] is turns["rejected"] is turns["withdrawn"] is Whose.NOBODY
    assert set(STEPS) == set(AirlockEventType)
