"""Mails as they arrive, by the worker and a mail server (spec: operations 4, pages 25)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from jobserver import queue
from jobserver.actions import mail_preferences
from jobserver.actions import settings as account
from jobserver.clients import Clients
from jobserver.models import EmailChange, Happening, JobRequest, MailChoice, MailKind, User
from jobserver.queue import Task
from jobserver.rap.context import Context
from jobserver.security import tokens
from jobserver.settings import Settings
from jobserver.tasks import worker
from jobserver.tasks.mail_samples import SAMPLES
from simulator.testing import RunningSimulator, running_simulator
from tests import factories as f
from tests.unit.rap.eventually import eventually, in_background

# The worker asks for the weekly message to co-pilots by itself.
MAILS = "FROM procrastinate_jobs WHERE task_name LIKE 'mail%'"


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[RunningSimulator]:
    with running_simulator(tmp_path, speed=0) as running:
        yield running


@pytest.fixture
def context(
    settings: Settings, session_factory: sessionmaker[Session], simulator: RunningSimulator
) -> Context:
    settings = replace(settings, email_backend="smtp", smtp_url=simulator.smtp_url)
    return Context(settings, session_factory, Clients.from_settings(settings))


def states(db: Session) -> list[str]:
    db.rollback()
    return list(db.scalars(text(f"SELECT CAST(status AS text) {MAILS} ORDER BY id")))


def ended(db: Session) -> JobRequest:
    user = f.UserFactory(fullname="Zoë O'Hara <z>", email="zoe@example.org")
    request: JobRequest = f.JobRequestFactory(
        status="failed", jobs_failed=1, created_by=user, workspace=f.WorkspaceFactory(name="asthma-main")
    )
    f.JobFactory(job_request=request, action="model", status="failed", status_code="nonzero_exit")
    queue.defer(db, Task.MAIL_REQUEST_ENDED, job_request_id=request.id)
    db.commit()
    return request


@pytest.mark.parametrize("name", list(SAMPLES))
def test_every_mail_arrives_as_it_was_written(
    context: Context, simulator: RunningSimulator, name: str
) -> None:
    message = SAMPLES[name].make("https://jobs.example.org")
    context.clients.mail.send(message)
    (mail,) = simulator.mails()
    assert mail["recipients"] == [message.to]
    assert (mail["subject"], mail["text"], mail["html"]) == (message.subject, message.text, message.html)
    assert mail["reply_to"] == "OpenSAFELY Team <team@opensafely.org>"
    assert mail["from"] == "notifications@jobs.opensafely.org"


def test_the_worker_sends_the_digest_and_notes_it(
    db: Session, context: Context, simulator: RunningSimulator
) -> None:
    request = ended(db)
    with in_background(worker.run, context):
        eventually(lambda: states(db) == ["succeeded"])
    (mail,) = simulator.mails()
    assert mail["recipients"] == ["zoe@example.org"]
    assert mail["subject"] == f"failed: [os asthma-main] job request {request.id}"
    assert "Hello Zoë O'Hara <z>," in mail["text"]
    assert "Zoë O&#39;Hara &lt;z&gt;" in mail["html"]
    assert db.scalars(select(Happening.kind)).all() == ["mailed"]


def test_a_choice_made_while_the_server_is_down_is_honoured_once_it_is_back(
    db: Session, context: Context, simulator: RunningSimulator
) -> None:
    simulator.control(fault={"service": "smtp", "kind": "refuse"})
    request = ended(db)
    with in_background(worker.run, context):
        eventually(lambda: db.rollback() or db.scalar(text(f"SELECT attempts {MAILS}")) == 1)
        mail_preferences.choose(db, request.created_by_id, {MailKind.REQUEST_ENDED: MailChoice.NEVER})
        db.commit()
        simulator.control(reset=True)
        eventually(lambda: states(db) == ["succeeded"], within=20)
    assert simulator.mails() == []
    assert db.execute(select(Happening.kind, Happening.note, Happening.status_code)).all() == [
        ("not_mailed", "request_ended", "not_wanted")
    ]


def test_a_new_address_gets_the_link_and_the_old_one_is_told(
    db: Session, context: Context, simulator: RunningSimulator
) -> None:
    user: User = f.UserFactory(email="old@example.org")
    account.save(db, user.id, fullname=user.fullname, email="new@example.org")
    db.commit()
    with in_background(worker.run, context):
        eventually(lambda: states(db) == ["succeeded", "succeeded"])
    mails = {mail["recipients"][0]: mail for mail in simulator.mails()}
    assert set(mails) == {"old@example.org", "new@example.org"}
    (token,) = set(re.findall(r"confirm-email/\?token=([\w-]+)", mails["new@example.org"]["text"]))
    assert f"confirm-email/?token={token}" in mails["new@example.org"]["html"]
    assert "token=" not in mails["old@example.org"]["text"] + mails["old@example.org"]["html"]
    assert db.scalars(select(EmailChange.digest)).one() == tokens.digest(token)


def test_the_link_is_sent_once_the_server_is_back(
    db: Session, context: Context, simulator: RunningSimulator
) -> None:
    simulator.control(fault={"service": "smtp", "kind": "refuse"})
    user: User = f.UserFactory(email=None)
    account.save(db, user.id, fullname=user.fullname, email="new@example.org")
    db.commit()
    with in_background(worker.run, context):
        eventually(lambda: db.rollback() or db.scalar(text(f"SELECT attempts {MAILS}")) == 1)
        simulator.control(reset=True)
        eventually(lambda: states(db) == ["succeeded"], within=20)
    (mail,) = simulator.mails()
    (token,) = set(re.findall(r"token=([\w-]+)", mail["text"]))
    assert account.confirm(db, user.id, token).state == "usable"
