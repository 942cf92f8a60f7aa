"""To whom the mails go, when, and how often (spec: pages 30.6, operations 12)."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from jobserver import locks
from jobserver.actions import mail_preferences as preferences
from jobserver.clients.mail import Mailer, MailNotSent, Message, SmtpBackend
from jobserver.clients.slack import SlackClient
from jobserver.models import Happening, JobRequest, MailChoice, MailKind, User, utcnow
from jobserver.rap.context import Context
from jobserver.rap.round import run_round
from jobserver.tasks.request_mails import mail_first_failure, mail_request_ended
from jobserver.tasks.retrying import GiveUp, NotYet
from jobserver.tasks.staff_posts import announce_new_user
from tests import factories as f
from tests.unit.rap.controller import Controller, Outbox

ENDED, FAILURE = MailKind.REQUEST_ENDED, MailKind.FIRST_FAILURE


def ended(context: Context, controller: Controller, *states: str, **more: Any) -> JobRequest:
    values = {"status": "pending", "settled_at": utcnow(), "will_notify": True, **more}
    request: JobRequest = f.JobRequestFactory(**values)
    controller.add(request.identifier, *states)
    run_round(context)
    return request


def noted(db: Session, request: JobRequest) -> list[tuple[str, str, str]]:
    """What was noted of mails about the request: kind, which mail, and why it was not sent."""
    db.rollback()
    rows = db.scalars(
        select(Happening)
        .where(Happening.job_request_id == request.id, Happening.kind.in_(("mailed", "not_mailed")))
        .order_by(Happening.id)
    )
    return [(row.kind, row.note, row.status_code) for row in rows]


def choose(db: Session, request: JobRequest, kind: MailKind, choice: MailChoice) -> None:
    preferences.choose(db, request.created_by_id, {kind: choice})
    db.commit()


@pytest.fixture
def broken(context: Context) -> Context:
    """A context whose mail server does not answer."""
    mailer = Mailer(SmtpBackend("smtp://127.0.0.1:9"), "us@example.org")
    return replace(context, clients=replace(context.clients, mail=mailer))


def test_mails_are_delivered_and_noted(
    db: Session, context: Context, controller: Controller, outbox: Outbox
) -> None:
    request = ended(context, controller, "failed", "running")
    mail_first_failure(context, job_request_id=request.id)
    controller.move(request.identifier, "failed", "succeeded")
    run_round(context)
    mail_request_ended(context, job_request_id=request.id)
    address = f"To: {request.created_by.email}"
    assert [address in each for each in outbox.messages] == [True, True]
    assert noted(db, request) == [("mailed", "first_failure", ""), ("mailed", "request_ended", "")]


@pytest.mark.parametrize("times", [2, 3])
def test_a_task_that_is_repeated_sends_nothing_more(
    db: Session, context: Context, controller: Controller, outbox: Outbox, times: int
) -> None:
    request = ended(context, controller, "succeeded")
    for _ in range(times):
        mail_request_ended(context, job_request_id=request.id)
    assert len(outbox.messages) == 1
    assert noted(db, request) == [("mailed", "request_ended", "")]


def test_of_two_workers_one_sends(
    db: Session, context: Context, controller: Controller, outbox: Outbox
) -> None:
    """One was taken for dead and is not: the other comes back later, and finds it done."""
    request = ended(context, controller, "succeeded")
    with context.alone(locks.MAIL_REQUEST_ENDED, request.id) as alone:
        assert alone
        with pytest.raises(NotYet):
            mail_request_ended(context, job_request_id=request.id)
    assert outbox.messages == []
    mail_request_ended(context, job_request_id=request.id)
    assert len(outbox.messages) == 1


def test_nothing_is_noted_as_sent_while_the_server_is_down(
    db: Session, context: Context, broken: Context, controller: Controller, outbox: Outbox
) -> None:
    request = ended(context, controller, "succeeded")
    with pytest.raises(MailNotSent) as failure:
        mail_request_ended(broken, job_request_id=request.id)
    assert failure.value.temporary
    assert noted(db, request) == []
    mail_request_ended(context, job_request_id=request.id)
    assert noted(db, request) == [("mailed", "request_ended", "")]


def test_a_choice_made_between_asking_and_sending_is_honoured(
    db: Session, context: Context, broken: Context, controller: Controller, outbox: Outbox
) -> None:
    """The mail server is down, the person changes their mind, the worker tries again."""
    request = ended(context, controller, "succeeded")
    with pytest.raises(MailNotSent):
        mail_request_ended(broken, job_request_id=request.id)
    choose(db, request, ENDED, MailChoice.NEVER)
    mail_request_ended(context, job_request_id=request.id)
    assert outbox.messages == []
    assert noted(db, request) == [("not_mailed", "request_ended", "not_wanted")]
    # What was decided stays decided.
    choose(db, request, ENDED, MailChoice.ALWAYS)
    mail_request_ended(context, job_request_id=request.id)
    assert outbox.messages == []


def test_a_workspace_muted_between_asking_and_sending_is_honoured(
    db: Session, context: Context, controller: Controller, outbox: Outbox
) -> None:
    request = ended(context, controller, "failed")
    preferences.mute(db, request.created_by_id, request.workspace_id)
    db.commit()
    mail_request_ended(context, job_request_id=request.id)
    assert outbox.messages == []
    assert noted(db, request) == [("not_mailed", "request_ended", "muted")]


def test_muting_is_for_one_person_and_one_workspace(
    db: Session, context: Context, controller: Controller, outbox: Outbox
) -> None:
    request = ended(context, controller, "succeeded")
    preferences.mute(db, f.UserFactory().id, request.workspace_id)
    preferences.mute(db, request.created_by_id, f.WorkspaceFactory().id)
    preferences.mute(db, request.created_by_id, request.workspace_id)
    preferences.unmute(db, request.created_by_id, request.workspace_id)
    db.commit()
    mail_request_ended(context, job_request_id=request.id)
    assert len(outbox.messages) == 1


@pytest.mark.parametrize(
    ("states", "sent"),
    [
        (["succeeded"], False),
        (["cancelled", "succeeded"], False),
        (["failed", "succeeded"], True),
        (["failed", "cancelled"], True),
    ],
)
def test_who_wants_failures_only_gets_no_successes(
    db: Session, context: Context, controller: Controller, outbox: Outbox, states: list[str], sent: bool
) -> None:
    request = ended(context, controller, *states)
    choose(db, request, ENDED, MailChoice.FAILURES)
    mail_request_ended(context, job_request_id=request.id)
    assert len(outbox.messages) == int(sent)
    expected = ("mailed", "request_ended", "") if sent else ("not_mailed", "request_ended", "only_failures")
    assert noted(db, request) == [expected]


def test_the_choices_of_one_kind_say_nothing_of_the_other(
    db: Session, context: Context, controller: Controller, outbox: Outbox
) -> None:
    request = ended(context, controller, "failed", "running")
    choose(db, request, FAILURE, MailChoice.NEVER)
    mail_first_failure(context, job_request_id=request.id)
    assert noted(db, request) == [("not_mailed", "first_failure", "not_wanted")]
    mail_request_ended(context, job_request_id=request.id)
    assert len(outbox.messages) == 1


def test_the_first_failure_does_not_promise_a_mail_that_is_not_wanted(
    db: Session, context: Context, controller: Controller, outbox: Outbox
) -> None:
    request = ended(context, controller, "failed", "running")
    choose(db, request, ENDED, MailChoice.NEVER)
    mail_first_failure(context, job_request_id=request.id)
    assert "The request has 1 other job." in outbox.messages[0]


def test_a_first_failure_that_comes_too_late_leaves_it_to_the_mail_about_the_end(
    db: Session, context: Context, controller: Controller, outbox: Outbox
) -> None:
    request = ended(context, controller, "failed", "succeeded")
    mail_first_failure(context, job_request_id=request.id)
    assert outbox.messages == []
    assert noted(db, request) == [("not_mailed", "first_failure", "has_ended")]


def test_a_late_first_failure_is_sent_if_no_other_mail_tells_of_it(
    db: Session, context: Context, controller: Controller, outbox: Outbox
) -> None:
    request = ended(context, controller, "failed", "succeeded")
    choose(db, request, ENDED, MailChoice.NEVER)
    mail_first_failure(context, job_request_id=request.id)
    assert len(outbox.messages) == 1


def test_without_a_failure_no_mail_tells_of_one(
    db: Session, context: Context, controller: Controller, outbox: Outbox
) -> None:
    request = ended(context, controller, "running")
    mail_first_failure(context, job_request_id=request.id)
    assert outbox.messages == []
    assert noted(db, request) == [("not_mailed", "first_failure", "nothing_failed")]


@pytest.mark.parametrize(("person", "why"), [("without address", "no_address"), ("closed", "account_closed")])
def test_nobody_is_told_who_cannot_or_must_not_be(
    db: Session, context: Context, controller: Controller, outbox: Outbox, person: str, why: str
) -> None:
    request = ended(context, controller, "succeeded")
    changes: dict[str, Any] = {"email": None}
    if person == "closed":
        changes = {"disabled_at": utcnow(), "disabled_by_id": f.UserFactory().id}
    db.execute(update(User).where(User.id == request.created_by_id).values(changes))
    db.commit()
    mail_request_ended(context, job_request_id=request.id)
    assert outbox.messages == []
    assert noted(db, request) == [("not_mailed", "request_ended", why)]


def test_a_mail_that_will_never_be_taken_is_given_up(
    db: Session, context: Context, controller: Controller
) -> None:
    request = ended(context, controller, "succeeded", created_by=f.UserFactory(email="not an address"))
    with pytest.raises(GiveUp):
        mail_request_ended(context, job_request_id=request.id)
    assert noted(db, request) == [("not_mailed", "request_ended", "refused")]
    mail_request_ended(context, job_request_id=request.id)
    assert len(noted(db, request)) == 1


def test_what_happened_is_stored_exactly_if_the_mail_left(
    db: Session, context: Context, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies while it sends."""
    request = ended(context, controller, "succeeded")

    class Death(BaseException):
        pass

    class Dying:
        def send(self, sender: str, message: Message) -> None:
            raise Death

    dying = replace(context, clients=replace(context.clients, mail=Mailer(Dying(), "us@example.org")))
    with pytest.raises(Death):
        mail_request_ended(dying, job_request_id=request.id)
    assert noted(db, request) == []


def test_an_unknown_request_is_given_up(db: Session, context: Context) -> None:
    with pytest.raises(GiveUp):
        mail_request_ended(context, job_request_id=4711)


def test_staff_are_told_of_a_new_user(db: Session, context: Context, outbox: Outbox) -> None:
    user = f.UserFactory(username="ada+1")
    announce_new_user(context, user_id=user.id)
    assert outbox.getvalue() == (
        "Slack #job-server-registrations: New user: <http://localhost/staff/users/ada%2B1/|ada+1>\n"
    )


def test_slack_that_is_off_is_no_fault(db: Session, context: Context) -> None:
    silent = replace(context, clients=replace(context.clients, slack=SlackClient("http://127.0.0.1:9", "")))
    announce_new_user(silent, user_id=f.UserFactory().id)


def test_an_unknown_user_is_given_up(db: Session, context: Context) -> None:
    with pytest.raises(GiveUp):
        announce_new_user(context, user_id=4711)
