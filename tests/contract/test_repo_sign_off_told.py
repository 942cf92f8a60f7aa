"""Who is told by mail and in (simulated) Slack that a researcher has signed a repository off."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import repos as actions
from jobserver.models import Repo, User, utcnow
from jobserver.queue import Task
from jobserver.rap.context import Context
from jobserver.settings import Settings
from jobserver.tasks.deliveries import DELIVERIES
from jobserver.tasks.retrying import GiveUp
from simulator.testing import RunningSimulator, running_simulator
from tests import factories as f


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    with running_simulator(tmp_path_factory.mktemp("told"), speed=0) as running:
        yield running


@pytest.fixture
def world(outside: RunningSimulator) -> Iterator[RunningSimulator]:
    yield outside
    outside.control(reset=True, clear=["mail", "slack"])


@pytest.fixture
def context(
    settings: Settings, session_factory: sessionmaker[Session], world: RunningSimulator
) -> Iterator[Context]:
    made = Context.build(
        replace(
            settings,
            base_url="http://jobs.example.org",
            slack_api_url=world.slack_url,
            slack_bot_token=world.slack_token,
            email_backend="smtp",
            smtp_url=world.smtp_url,
        )
    )
    yield made
    made.engine.dispose()


@pytest.fixture
def signer(db: Session) -> User:
    """Who signs."""
    user: User = f.UserFactory(username="ada", fullname="Ada & Hale", email="ada@example.com")
    return user


def signed_off(db: Session, signer: User, **values: Any) -> Repo:
    """A repository of two projects, three of whose four workspaces the same person made, and is signed off."""
    repo: Repo = f.RepoFactory(url="https://github.com/opensafely/asthma", **values)
    copilot = f.UserFactory(username="pilot", fullname="Co Pilot")
    first = f.ProjectFactory(
        slug="asthma", org=f.OrgFactory(slug="uni"), number="148", name="Asthma", copilot=copilot
    )
    second = f.ProjectFactory(slug="stroke", org=f.OrgFactory(slug="city"))
    bo = f.UserFactory(fullname="Bo Blue", email="bo@example.com")
    gone = f.UserFactory(email="gone@example.com", disabled_at=utcnow(), disabled_by_id=signer.id)
    silent = f.UserFactory(email=None)
    makers = (
        (first, signer),
        (first, signer),
        (second, signer),
        (second, bo),
        (first, gone),
        (first, silent),
    )
    for project, maker in makers:
        done = {"signed_off_at": utcnow(), "signed_off_by_id": signer.id}
        f.WorkspaceFactory(repo=repo, project=project, created_by=maker, **done)
    actions.sign_off_as_researcher(db, repo, by=signer)
    db.commit()
    return repo


def deliver(db: Session, context: Context) -> list[str]:
    """Do what the queue was asked for; its names."""
    rows = db.execute(text("SELECT task_name, args FROM procrastinate_jobs ORDER BY id")).all()
    for name, arguments in rows:
        DELIVERIES[Task(name)](context, **arguments)
    return [name for name, _ in rows]


def test_each_person_who_made_a_workspace_gets_one_mail_of_their_own(
    db: Session, context: Context, world: RunningSimulator, signer: User
) -> None:
    signed_off(db, signer)
    deliver(db, context)
    mails = {"".join(mail["to"]): mail for mail in world.mails()}
    assert len(world.mails()) == 2
    assert set(mails) == {"ada@example.com", "bo@example.com"}
    assert "You have signed off the repository opensafely/asthma" in mails["ada@example.com"]["text"]
    mail = mails["bo@example.com"]
    assert mail["subject"] == "asthma was signed off by Ada & Hale"
    # Pages 30.2 no. 36: text is text.
    assert "Ada & Hale has signed off the repository opensafely/asthma" in mail["text"]
    assert "publications@opensafely.org" in mail["text"]
    assert "http://jobs.example.org/repo/opensafely/asthma/\n" in mail["text"]


def test_without_outputs_the_copilots_are_told_in_slack(
    db: Session, context: Context, world: RunningSimulator, signer: User
) -> None:
    signed_off(db, signer)
    assert "announce_repo_signed_off" in deliver(db, context)
    (post,) = world.slack_posts()
    assert post["channel"] == "co-pilot-support"
    base = "http://jobs.example.org"
    page = f"<{base}/staff/repos/opensafely/asthma/|opensafely/asthma>"
    assert post["text"].splitlines() == [
        f"Repository signed off by a researcher: {page}, by <{base}/staff/users/ada/|Ada &amp; Hale>.",
        "Please check it, and sign it off on that page: then it is made public.",
        f"Project: <{base}/uni/asthma/|asthma>. Co-pilot: <{base}/staff/users/pilot/|Co Pilot>",
        f"Project: <{base}/city/stroke/|stroke>. Co-pilot: nobody",
    ]


def test_with_outputs_the_publications_team_gets_a_mail_and_slack_nothing(
    db: Session, context: Context, world: RunningSimulator, signer: User
) -> None:
    repo = signed_off(db, signer, has_github_outputs=True)
    assert "mail_repo_with_outputs" in deliver(db, context)
    assert world.slack_posts() == []
    (mail,) = [mail for mail in world.mails() if "publications@opensafely.org" in str(mail["to"])]
    assert mail["subject"] == "[148] asthma has outputs on GitHub and awaits your sign-off"
    assert "http://jobs.example.org/staff/repos/opensafely/asthma/" in mail["text"]
    db.execute(text("UPDATE project SET number = NULL"))
    db.commit()
    DELIVERIES[Task.MAIL_REPO_WITH_OUTPUTS](context, repo_id=repo.id)
    assert any(mail["subject"].startswith("[X] asthma") for mail in world.mails())


def test_a_mail_that_could_not_be_sent_is_tried_again(
    db: Session, context: Context, world: RunningSimulator, signer: User
) -> None:
    repo = signed_off(db, signer, has_github_outputs=True)
    world.control(fault={"service": "smtp", "kind": "refuse"})
    with pytest.raises(Exception, match=r"\w") as raised:
        DELIVERIES[Task.MAIL_REPO_WITH_OUTPUTS](context, repo_id=repo.id)
    assert not isinstance(raised.value, GiveUp)


@pytest.mark.parametrize(
    "task", [Task.MAIL_REPO_SIGNED_OFF, Task.MAIL_REPO_WITH_OUTPUTS, Task.ANNOUNCE_REPO_SIGNED_OFF]
)
def test_of_what_is_not_signed_off_nobody_is_told(
    db: Session, context: Context, world: RunningSimulator, signer: User, task: Task
) -> None:
    more = {"user_id": signer.id} if task is Task.MAIL_REPO_SIGNED_OFF else {}
    for id_ in (f.RepoFactory().id, 4711):
        with pytest.raises(GiveUp):
            DELIVERIES[task](context, repo_id=id_, **more)
    assert (world.mails(), world.slack_posts()) == ([], [])
