"""What Airlock tells reaches GitHub, Slack and the author: once, in order, whatever goes wrong meanwhile."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker
from structlog.testing import capture_logs

from jobserver.actions import release_requests
from jobserver.actions.release_requests import Told
from jobserver.clients.github import GitHubClient, GitHubUnauthorised
from jobserver.clients.slack import SlackClient, SlackNotSent
from jobserver.models import Org, ReleaseRequest, ReleaseRequestEvent, User, Workspace, utcnow
from jobserver.models.choices import AirlockEventType
from jobserver.rap.context import Context
from jobserver.security import tokens
from jobserver.security.callers import BackendCaller
from jobserver.settings import Settings
from jobserver.tasks import airlock_issues, airlock_mails, airlock_posts, retrying, worker
from jobserver.tasks.retrying import GiveUp, NotYet
from simulator.testing import RunningSimulator, running_simulator
from tests import factories as f
from tests.contract.recorded import json_reply, serving
from tests.unit.rap import programs
from tests.unit.rap.eventually import eventually, in_background

OWNER, NAME = "demo-university", "output-review"
REPOSITORY = f"{OWNER}/{NAME}"
PATH = f"/api/github/repos/{REPOSITORY}"
STATUS_LABELS = ["Pending review", "Under review", "With requester"]
WORLD = {
    "backends": [],
    "simulator": {
        "github_tokens": ["token"],
        "slack_tokens": ["slack"],
        "repositories": [
            {
                "name": name,
                "private": True,
                "created_at": "2021-02-01T08:00:00Z",
                "labels": labels,
            }
            for name, labels in (
                (REPOSITORY, ["internal", "external", *STATUS_LABELS]),
                ("other/bare", []),
                ("other/lead", ["external"]),
                ("other/many", [f"label {number}" for number in range(130)]),
            )
        ],
    },
}


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    with running_simulator(tmp_path_factory.mktemp("outside"), WORLD, speed=0) as running:
        yield running


@pytest.fixture
def world(outside: RunningSimulator) -> Iterator[RunningSimulator]:
    yield outside
    outside.control(reset=True, clear=["mail", "slack", "requests", "issues"])


@pytest.fixture
def own_settings(settings: Settings, world: RunningSimulator) -> Settings:
    return replace(
        settings,
        base_url="http://jobs.example.org",
        github_api_url=world.github_api_url,
        jobserver_github_token="token",
        slack_api_url=world.slack_url,
        slack_bot_token="slack",
        email_backend="smtp",
        smtp_url=world.smtp_url,
        default_output_checking_github_org=OWNER,
        default_output_checking_repo=NAME,
    )


@pytest.fixture
def context(own_settings: Settings, session_factory: sessionmaker[Session]) -> Iterator[Context]:
    made = Context.build(own_settings)
    yield made
    made.engine.dispose()


@dataclass
class Airlock:
    """Tells of one request, and shows what people see of it."""

    context: Context
    db: Session
    world: RunningSimulator
    backend: BackendCaller
    author: User
    workspace: str
    request: str

    def tell(self, *kinds: str, **changes: Any) -> int:
        """Tell of the events; the number of the newest."""
        for kind in kinds:
            values = {
                "workspace": self.workspace,
                "request": self.request,
                "request_author": self.author.username,
                "user": "checker",
                **changes,
            }
            with self.context.transaction() as db:
                release_requests.keep_event(
                    db, self.backend, Told(AirlockEventType(f"request_{kind}"), **values)
                )
        newest = self.db.scalar(text("SELECT max(id) FROM release_request_event"))
        self.db.rollback()
        return int(newest)

    def github(self, path: str = "", repository: str = REPOSITORY) -> Any:
        address = f"{self.world.github_api_url}/repos/{repository}/issues{path}"
        answer = requests.get(
            address,
            {"state": "all", "per_page": "100"},
            headers={"Authorization": "token token"},
            timeout=5,
        )
        answer.raise_for_status()
        return answer.json()

    def issue(self) -> Any:
        (only,) = self.github()
        return only

    def labels(self) -> list[str]:
        return [each["name"] for each in self.issue()["labels"]]

    def comments(self) -> list[str]:
        return [each["body"] for each in self.github("/1/comments")]

    def event(self, event_id: int) -> ReleaseRequestEvent:
        self.db.rollback()
        self.db.expire_all()
        found = self.db.get(ReleaseRequestEvent, event_id)
        assert found is not None
        return found

    def stored(self) -> ReleaseRequest:
        self.db.rollback()
        self.db.expire_all()
        found = self.db.get(ReleaseRequest, self.request)
        assert found is not None
        return found

    def on_github(self, *kinds: str, **changes: Any) -> int:
        """Tell of the events, and have each of them shown on GitHub."""
        event_id = 0
        for kind in kinds:
            event_id = self.tell(kind, **changes)
            airlock_issues.tell_github(self.context, event_id=event_id)
        return event_id

    def fail(self, **fault: Any) -> None:
        self.world.control(fault={"service": "github", **fault})


@pytest.fixture
def airlock(context: Context, db: Session, world: RunningSimulator) -> Airlock:
    backend = f.BackendFactory(slug="tpp")
    author = f.UserFactory(username="researcher", fullname="Ada *Hale*", email="ada@example.org")
    for user in (author, f.UserFactory(username="checker")):
        f.BackendMembershipFactory(backend=backend, user=user)
    project = f.ProjectFactory(slug="asthma", org=f.OrgFactory(slug="university"))
    workspace = f.WorkspaceFactory(name="asthma-main", project=project)
    caller = BackendCaller(backend.id, backend.slug, backend.name)
    return Airlock(context, db, world, caller, author, workspace.name, tokens.new_ulid())


@pytest.fixture
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that does not take its time."""
    monkeypatch.setattr(retrying, "FIRST_PAUSE", timedelta(seconds=0.1))
    monkeypatch.setattr(retrying, "SHORTEST_PAUSE", timedelta(seconds=0.1))
    monkeypatch.setattr(airlock_posts, "SHORTEST_WAIT", timedelta(seconds=0.1))
    monkeypatch.setattr(worker, "FETCH_EVERY", 0.1)


def all_done(db: Session) -> bool:
    states = set(db.scalars(text("SELECT CAST(status AS text) FROM procrastinate_jobs")))
    db.rollback()
    return states == {"succeeded"}


@pytest.mark.usefixtures("_hurried")
def test_the_whole_life_of_a_request_is_told_everywhere_once_and_in_order(airlock: Airlock) -> None:
    kinds = ("submitted", "partially_reviewed", "reviewed", "returned", "resubmitted")
    for kind in (*kinds, "partially_reviewed", "reviewed", "approved", "released"):
        updates = [{"update": "2 files will be uploaded"}] if kind == "approved" else []
        airlock.tell(kind, kind, updates=updates)
    with in_background(worker.run, airlock.context):
        eventually(lambda: all_done(airlock.db), within=30)
    issue = airlock.issue()
    assert issue["title"] == f"asthma-main {airlock.request}"
    assert issue["state"] == "closed"
    assert airlock.labels() == ["external"]
    told = [each.split("\n")[2] for each in airlock.comments()[:-1]]
    assert told == [
        "- First review handed in by user checker",
        "- Second review handed in by user checker",
        "- Returned by user checker",
        "- Submitted again by user checker",
        "- First review handed in by user checker",
        "- Second review handed in by user checker",
        "- Approved by user checker",
    ]
    assert "2 files will be uploaded" in airlock.comments()[-2]
    assert "closed**: request released by user checker" in airlock.comments()[-1]
    posts = airlock.world.slack_posts()[::-1]
    assert [each["text"].split("\n")[1].removeprefix("• ") for each in posts] == [
        each.removeprefix("- ") for each in told
    ]
    comments = [each["html_url"] for each in airlock.github("/1/comments")]
    for url, post in zip(comments, posts, strict=False):
        assert post["text"].startswith(f"<{url}|asthma-main {airlock.request}> was updated")
        assert post["channel"] == "opensafely-outputs"
    subjects = sorted(each["subject"] for each in airlock.world.mails())
    assert subjects == [
        "Files released: asthma-main",
        "Release request approved: asthma-main",
        f"Release request returned: asthma-main, {airlock.request}",
    ]
    assert airlock.stored().issue_url == issue["html_url"]


def test_the_issue_says_who_what_and_where(airlock: Airlock) -> None:
    airlock.on_github("submitted")
    body = airlock.issue()["body"]
    assert r"[Ada \*Hale\*](http://jobs.example.org/staff/users/researcher/)" in body
    assert "(http://jobs.example.org/university/asthma/asthma-main/)" in body
    assert airlock.request in body
    assert "github.com/opensafely/study-" in body
    assert airlock.labels() == ["external", "Pending review"]


def test_the_status_label_follows_and_other_labels_stay(airlock: Airlock) -> None:
    airlock.on_github("submitted")
    issues = airlock.context.clients.github.issues(OWNER, NAME)
    issues.change(1, ["urgent", "external", "Pending review"])
    for kind, label in (
        ("partially_reviewed", ["Under review"]),
        ("reviewed", ["Under review"]),
        ("returned", ["With requester"]),
        ("resubmitted", ["Pending review"]),
        ("approved", []),
        ("released", []),
    ):
        airlock.on_github(kind)
        assert airlock.labels() == ["urgent", "external", *label]


def test_members_of_an_internal_organisation_are_labelled_as_such(airlock: Airlock) -> None:
    f.OrgMembershipFactory(user=airlock.author, org=f.OrgFactory(is_internal=True))
    airlock.on_github("submitted")
    assert airlock.labels() == ["internal", "Pending review"]


@pytest.mark.parametrize("closing", ["released", "rejected", "withdrawn"])
def test_what_ends_a_request_closes_its_issue(airlock: Airlock, closing: str) -> None:
    airlock.on_github("submitted", closing)
    assert airlock.issue()["state"] == "closed"
    assert airlock.labels() == ["external"]
    (comment,) = airlock.comments()
    assert f"request {closing} by user checker" in comment


@pytest.mark.usefixtures("_hurried")
def test_github_being_down_loses_nothing_and_holds_up_no_mail(airlock: Airlock) -> None:
    airlock.fail(kind="refuse")
    airlock.tell("submitted", "partially_reviewed", "reviewed", "returned")
    with in_background(worker.run, airlock.context):
        eventually(lambda: len(airlock.world.mails()) == 1)
        eventually(lambda: len(airlock.world.requests("github")) > 3)
        airlock.world.control(reset=True)
        eventually(lambda: all_done(airlock.db), within=30)
    assert len(airlock.github()) == 1
    assert len(airlock.comments()) == 3
    assert len(airlock.world.slack_posts()) == 3
    assert len(airlock.world.mails()) == 1


FAULTS: list[dict[str, Any]] = [
    {"kind": "refuse"},
    {"kind": "status", "status": 401},
    {"kind": "status", "status": 403},
    {"kind": "rate_limit"},
    {"kind": "status", "status": 404},
    {"kind": "status", "status": 410},
    {"kind": "status", "status": 422},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "html"},
    {"kind": "truncated"},
    {"kind": "drop"},
]


def test_whatever_github_answers_it_is_tried_again_and_done_once(airlock: Airlock) -> None:
    first = airlock.tell("submitted")
    for fault in FAULTS:
        airlock.fail(**fault)
        with pytest.raises(NotYet):
            airlock_issues.tell_github(airlock.context, event_id=first)
        airlock.world.control(reset=True)
        assert airlock.event(first).issue_at is None
    airlock_issues.tell_github(airlock.context, event_id=first)
    assert len(airlock.github()) == 1
    for kind, place in (("returned", "/1/comments"), ("resubmitted", "/1/labels"), ("rejected", "/1")):
        event_id = airlock.tell(kind)
        for fault in FAULTS[0], FAULTS[3], FAULTS[7], FAULTS[9]:
            airlock.fail(**fault, path=f"{PATH}/issues{place}")
            with pytest.raises(NotYet):
                airlock_issues.tell_github(airlock.context, event_id=event_id)
            airlock.world.control(reset=True)
        airlock_issues.tell_github(airlock.context, event_id=event_id)
    assert len(airlock.github()) == 1
    assert len(airlock.comments()) == 3
    assert airlock.issue()["state"] == "closed"


def test_a_used_up_rate_limit_is_waited_for(airlock: Airlock) -> None:
    event_id = airlock.tell("submitted")
    airlock.fail(kind="rate_limit")
    with pytest.raises(NotYet) as raised:
        airlock_issues.tell_github(airlock.context, event_id=event_id)
    assert raised.value.until is not None
    assert timedelta(minutes=9) < raised.value.until - utcnow() <= timedelta(minutes=10)


@pytest.mark.parametrize(("seconds", "waits"), [(600, 600), (-5, 1), (10**6, 3600)])
def test_a_task_is_tried_again_when_it_says_within_reason(seconds: int, waits: int) -> None:
    error = NotYet("later", until=utcnow() + timedelta(seconds=seconds))
    job: Any = SimpleNamespace(attempts=0)
    decision = retrying.BackOff().get_retry_decision(exception=error, job=job)
    assert decision is not None
    assert decision.retry_at is not None
    assert abs((decision.retry_at - utcnow()).total_seconds() - waits) < 2


def test_a_refused_token_and_a_missing_repository_are_said_aloud(airlock: Airlock) -> None:
    event_id = airlock.tell("submitted")
    for status in (401, 404):
        airlock.fail(kind="status", status=status)
        with capture_logs() as logs, pytest.raises(NotYet):
            airlock_issues.tell_github(airlock.context, event_id=event_id)
        airlock.world.control(reset=True)
        assert [(each["log_level"], each["repository"]) for each in logs] == [("error", REPOSITORY)]


def test_githubs_own_words_are_in_the_reason(airlock: Airlock) -> None:
    event_id = airlock.tell("submitted")
    airlock.fail(kind="status", status=422, path=f"{PATH}/issues")
    with pytest.raises(NotYet, match="status 422: Validation Failed"):
        airlock_issues.tell_github(airlock.context, event_id=event_id)


@pytest.mark.parametrize("kind", ["refuse", "html", "status", "truncated"])
def test_what_github_took_before_we_could_note_it_is_not_written_again(airlock: Airlock, kind: str) -> None:
    fault = {"kind": kind, "processed": True, "count": 1}
    for event_type, place in (("submitted", ""), ("returned", "/1/comments"), ("rejected", "/1/comments")):
        event_id = airlock.tell(event_type)
        airlock.fail(**fault, path=f"{PATH}/issues{place}")
        with pytest.raises(NotYet):
            airlock_issues.tell_github(airlock.context, event_id=event_id)
        airlock_issues.tell_github(airlock.context, event_id=event_id)
        airlock_issues.tell_github(airlock.context, event_id=event_id)
    assert len(airlock.github()) == 1
    assert len(airlock.comments()) == 2
    assert airlock.issue()["state"] == "closed"


def test_an_issue_that_is_older_than_what_we_know_is_found_by_its_title(airlock: Airlock) -> None:
    issues = airlock.context.clients.github.issues(OWNER, NAME)
    issues.create("something else", "…", [])
    issues.create(f"asthma-main {airlock.request}", "made by others", ["external", "Pending review"])
    airlock.on_github("reviewed")
    assert len(airlock.github()) == 2
    assert len(airlock.github("/2/comments")) == 1
    assert airlock.stored().issue_number == 2


def test_a_missing_issue_is_made_good(airlock: Airlock) -> None:
    airlock.on_github("returned")
    assert airlock.labels() == ["external", "With requester"]
    assert len(airlock.comments()) == 1


def test_an_issue_that_somebody_deleted_is_made_again(airlock: Airlock) -> None:
    airlock.on_github("submitted")
    airlock.world.control(clear=["issues"])
    event_id = airlock.tell("returned")
    with pytest.raises(NotYet):
        airlock_issues.tell_github(airlock.context, event_id=event_id)
    airlock_issues.tell_github(airlock.context, event_id=event_id)
    assert len(airlock.comments()) == 1


def test_missing_labels_are_left_out_and_complained_of_once_a_day(
    airlock: Airlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airlock_issues, "_complaints", {})
    with capture_logs() as logs:
        for _ in range(2):
            airlock.request = tokens.new_ulid()
            airlock.on_github("submitted", checking_repo="other/bare")
    complaints = [each for each in logs if each["log_level"] == "error"]
    assert [(each["repository"], each["labels"]) for each in complaints] == [("other/bare", STATUS_LABELS)]
    assert [each["labels"] for each in airlock.github(repository="other/bare")] == [[], []]


def test_where_to_tell_is_said_by_airlock_or_the_organisations(airlock: Airlock) -> None:
    lead = airlock.db.scalars(select(Org).where(Org.slug == "university")).one()
    project = f.ProjectFactory(
        org=lead,
        other_orgs=[
            f.OrgFactory(slug="a", output_checking_repo="other/none", output_checking_channel="first"),
            f.OrgFactory(slug="b", output_checking_repo="other/bare", output_checking_channel="second"),
        ],
    )
    airlock.workspace = str(f.WorkspaceFactory(project=project).name)

    def told(**changes: Any) -> tuple[str, str]:
        airlock.request = tokens.new_ulid()
        event = airlock_issues.load(airlock.context, airlock.tell("returned", **changes))
        return event.checking_repo, event.channel

    assert told() == ("other/bare", "second")
    lead.output_checking_repo, lead.output_checking_channel = "other/lead", "lead-channel"
    airlock.db.commit()
    assert told() == ("other/lead", "lead-channel")
    assert told(checking_repo="x/y") == ("x/y", "lead-channel")
    airlock.workspace = "asthma-main"
    lead.output_checking_repo = lead.output_checking_channel = ""
    airlock.db.commit()
    assert told() == (REPOSITORY, "opensafely-outputs")


def test_slack_waits_for_the_comment_but_not_for_ever(airlock: Airlock) -> None:
    event_id = airlock.tell("submitted", "returned")
    with pytest.raises(NotYet) as raised:
        airlock_posts.post_to_slack(airlock.context, event_id=event_id)
    assert raised.value.until is not None
    assert raised.value.until - utcnow() < timedelta(seconds=10)
    airlock.event(event_id).created_at = utcnow() - timedelta(minutes=10)
    airlock.db.commit()
    for _ in range(2):
        airlock_posts.post_to_slack(airlock.context, event_id=event_id)
    (post,) = airlock.world.slack_posts()
    assert post["text"].startswith(f"asthma-main {airlock.request} was updated (GitHub could not be reached)")
    assert "• Returned by user checker" in post["text"]


def test_slack_is_tried_again(airlock: Airlock) -> None:
    airlock.on_github("submitted")
    event_id = airlock.on_github("returned")
    for fault in ({"kind": "status", "status": 429}, {"kind": "html"}, {"kind": "refuse"}):
        airlock.world.control(fault={"service": "slack", **fault})
        with pytest.raises(SlackNotSent) as raised:
            airlock_posts.post_to_slack(airlock.context, event_id=event_id)
        assert raised.value.temporary
        airlock.world.control(reset=True)
        assert airlock.event(event_id).slack_at is None
    airlock_posts.post_to_slack(airlock.context, event_id=event_id)
    assert len(airlock.world.slack_posts()) == 1


def test_what_slack_or_the_mail_server_never_takes_gives_way_to_what_follows(airlock: Airlock) -> None:
    """Later tasks of the request wait for it: it must not be tried for two days."""
    airlock.on_github("submitted")
    event_id = airlock.on_github("returned")
    airlock.world.control(fault={"service": "smtp", "kind": "status", "status": 404})
    with serving(json_reply({"ok": False, "error": "channel_not_found"})) as server:
        slack = SlackClient(server.url, "slack")
        deaf = replace(airlock.context, clients=replace(airlock.context.clients, slack=slack))
        with pytest.raises(GiveUp, match="channel_not_found"):
            airlock_posts.post_to_slack(deaf, event_id=event_id)
    with pytest.raises(GiveUp, match="550"):
        airlock_mails.mail_author(airlock.context, event_id=event_id)
    airlock.world.control(reset=True)
    assert (airlock.event(event_id).slack_at, airlock.event(event_id).mail_at) == (None, None)
    event_id = airlock.on_github("approved")
    airlock_posts.post_to_slack(airlock.context, event_id=event_id)
    airlock_mails.mail_author(airlock.context, event_id=event_id)
    assert (len(airlock.world.slack_posts()), len(airlock.world.mails())) == (1, 1)


def test_the_author_gets_a_mail_once_with_the_updates_and_a_link(airlock: Airlock) -> None:
    updates = [{"update": "2 files will be uploaded"}]
    approved = airlock.tell("submitted", "approved", updates=updates)
    released = airlock.tell("released")
    workspace = airlock.db.scalar(select(Workspace).where(Workspace.name == airlock.workspace))
    f.ReleaseFactory(id=airlock.request, workspace=workspace)
    for event_id in (approved, approved, released, released):
        airlock_mails.mail_author(airlock.context, event_id=event_id)
    after, before = airlock.world.mails()
    page = f"http://jobs.example.org/university/asthma/asthma-main/releases/{airlock.request}/"
    assert before["recipients"] == ["ada@example.org"]
    assert "- 2 files will be uploaded" in before["text"]
    assert "Ada *Hale*" in before["text"]
    for mail in (before, after):
        assert page in mail["text"]
        assert page in mail["html"]


def test_without_a_release_the_mail_leads_to_the_workspace(airlock: Airlock) -> None:
    airlock_mails.mail_author(airlock.context, event_id=airlock.tell("released"))
    (mail,) = airlock.world.mails()
    assert "\nhttp://jobs.example.org/university/asthma/asthma-main/\n" in mail["text"]


def test_nobody_without_an_address_or_an_open_account_is_mailed(airlock: Airlock) -> None:
    event_id = airlock.tell("returned")
    airlock.author.email = None
    airlock.db.commit()
    airlock_mails.mail_author(airlock.context, event_id=event_id)
    airlock.author.email, airlock.author.disabled_at = "ada@example.org", utcnow()
    airlock.author.disabled_by_id = airlock.author.id
    airlock.db.commit()
    airlock_mails.mail_author(airlock.context, event_id=event_id)
    assert airlock.world.mails() == []
    assert airlock.event(event_id).mail_at is None


def test_issues_are_not_written_without_a_token(world: RunningSimulator) -> None:
    issues = GitHubClient(world.github_api_url, "").issues(OWNER, NAME)
    with pytest.raises(GitHubUnauthorised):
        issues.create("title", "body", [])
    assert world.requests("github") == []


def test_labels_are_read_to_the_last_page(context: Context) -> None:
    assert len(context.clients.github.issues("other", "many").labels()) == 130


def test_only_what_is_new_enough_is_looked_through(context: Context) -> None:
    issues = context.clients.github.issues(OWNER, NAME)
    made = issues.create("a title", "…", [])
    url = issues.comment(made.number, "words <!-- event:1 -->")
    hour = timedelta(hours=1)
    assert issues.find("a title", utcnow() - hour) == made
    assert issues.find("a title", utcnow() + hour) is None
    assert issues.find_comment(made.number, "<!-- event:1 -->", utcnow() - hour) == url
    assert issues.find_comment(made.number, "<!-- event:1 -->", utcnow() + hour) is None
    assert issues.find_comment(made.number, "<!-- event:11 -->", utcnow() - hour) is None


def test_what_a_killed_worker_had_written_is_found_by_the_next(
    airlock: Airlock, own_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SILENCE", 2.0)
    monkeypatch.setattr(worker, "HEARTBEAT", 0.5)
    monkeypatch.setattr(worker, "RESCUE_EVERY", 0.3)
    airlock.on_github("submitted")
    airlock.db.execute(text("DELETE FROM procrastinate_jobs"))
    airlock.db.commit()
    airlock.tell("partially_reviewed")
    # GitHub takes its time, and takes the comment although nobody waits for the answer any more.
    airlock.fail(kind="slow", seconds=0.8, path=f"{PATH}/issues/1/comments", count=1)
    with programs.running("worker", own_settings) as process:
        eventually(lambda: airlock.event(2).comment_asked_at is not None, within=20)
        # The request has left by then.
        time.sleep(0.2)
        process.kill()
        process.wait()
    assert airlock.event(2).comment_url == ""
    with in_background(worker.run, airlock.context):
        eventually(lambda: all_done(airlock.db), within=20)
    assert len(airlock.comments()) == 1
    assert airlock.event(2).comment_url == airlock.github("/1/comments")[0]["html_url"]
    assert len(airlock.world.slack_posts()) == 1


def test_two_workers_at_the_same_event_write_one_comment(airlock: Airlock) -> None:
    airlock.on_github("submitted")
    event_id = airlock.tell("returned")
    airlock.fail(kind="slow", seconds=0.4, path=f"{PATH}/issues/1/comments", count=1)

    def first(_stop: Any) -> None:
        airlock_issues.tell_github(airlock.context, event_id=event_id)

    with in_background(first):
        eventually(lambda: airlock.event(event_id).comment_asked_at is not None)
        with pytest.raises(NotYet):
            airlock_issues.tell_github(airlock.context, event_id=event_id)
    assert len(airlock.comments()) == 1
