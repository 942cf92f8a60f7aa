"""Cancelling: what is asked for, what is sent, what is recorded (spec: rap 1.4, 5 and 11)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver import locks
from jobserver.actions import cancelling
from jobserver.actions.cancelling import NothingKnownYet, NothingToCancel
from jobserver.clients.rap import RapClient
from jobserver.models import AuditableEvent, Cancellation, JobRequest, User, utcnow
from jobserver.rap.cancel import NOT_KNOWN, Outcome, send
from jobserver.rap.context import Context
from jobserver.rap.round import repeat_what_failed, run_round
from tests import factories as f
from tests.contract.recorded import Reply, html_reply, json_reply
from tests.unit.rap.conftest import deferred, reload
from tests.unit.rap.controller import DOWN, Controller


@pytest.fixture
def request_(db: Session, context: Context, controller: Controller) -> JobRequest:
    """A request with two running jobs, one pending and one that succeeded."""
    request: JobRequest = f.JobRequestFactory(status="pending", settled_at=utcnow())
    controller.add(request.identifier, "running", "running", "pending", "succeeded")
    run_round(context)
    return reload(db, request)


def ask(db: Session, request: JobRequest, actions: Iterable[str] | None = None) -> Cancellation:
    by: User = f.UserFactory()
    cancellation = cancelling.ask(db, request, by, actions)
    db.commit()
    return cancellation


def test_the_whole_request_means_its_active_actions(db: Session, request_: JobRequest) -> None:
    version = request_.version
    cancellation = ask(db, request_)
    assert cancellation.actions == ["action_0", "action_1", "action_2"]
    assert (cancellation.sent_at, cancellation.refusal, cancellation.sent_actions) == (None, None, [])
    assert request_.cancelled_actions == ["action_0", "action_1", "action_2"]
    stored = reload(db, request_)
    assert stored.cancelled_actions == ["action_0", "action_1", "action_2"]
    assert stored.version == version + 1
    assert deferred(db) == [("send_cancellation", {"cancellation_id": cancellation.id})]


def test_who_asked_is_recorded(db: Session, request_: JobRequest) -> None:
    cancellation = ask(db, request_, ["action_1"])
    event = db.scalars(select(AuditableEvent)).one()
    assert (event.type, event.target_id, event.new) == (
        "job_request_cancelled",
        str(request_.id),
        "action_1",
    )
    assert event.actor_id == cancellation.created_by_id


def test_only_what_is_new_is_asked_for(db: Session, request_: JobRequest) -> None:
    ask(db, request_, ["action_1", "action_3", "no such action"])
    assert ask(db, request_).actions == ["action_0", "action_2"]
    assert reload(db, request_).cancelled_actions == ["action_1", "action_0", "action_2"]
    with pytest.raises(NothingToCancel, match="asked for already"):
        cancelling.ask(db, request_, f.UserFactory())


def test_what_has_ended_cannot_be_cancelled(db: Session, request_: JobRequest) -> None:
    with pytest.raises(NothingToCancel, match="have ended"):
        cancelling.ask(db, request_, f.UserFactory(), ["action_3"])
    db.rollback()
    assert reload(db, request_).cancelled_actions == []
    assert deferred(db) == []


@pytest.mark.parametrize("status", ["pending", "unknown", "unknown_error_creating_jobs"])
def test_without_any_job_there_is_nothing_known_yet(db: Session, status: str) -> None:
    with pytest.raises(NothingKnownYet, match="Try again in a minute"):
        cancelling.ask(db, f.JobRequestFactory(status=status), f.UserFactory())


@pytest.mark.parametrize("status", ["failed", "nothing_to_do"])
def test_a_request_that_ended_without_jobs_has_nothing_to_cancel(db: Session, status: str) -> None:
    with pytest.raises(NothingToCancel):
        cancelling.ask(db, f.JobRequestFactory(status=status), f.UserFactory())


def test_two_cancellations_at_once_are_both_kept(db: Session, context: Context, request_: JobRequest) -> None:
    """Domain 13.1 and 13.11: the second has read the row before the first was stored."""
    with context.session_factory() as other:
        seen = other.get_one(JobRequest, request_.id)
        other.commit()
        ask(db, request_, ["action_0"])
        cancelling.ask(other, seen, f.UserFactory(), ["action_1"])
        other.commit()
    assert reload(db, request_).cancelled_actions == ["action_0", "action_1"]


def test_the_controller_is_told_and_it_is_recorded(
    db: Session, context: Context, controller: Controller, request_: JobRequest
) -> None:
    cancellation = ask(db, request_, ["action_0", "action_2"])
    assert send(context, cancellation.id) is Outcome.SENT
    assert controller.calls("cancel") == [
        {"rap_id": request_.identifier, "actions": ["action_0", "action_2"]}
    ]
    stored = again(db, cancellation)
    assert stored.sent_at is not None
    assert stored.sent_actions == ["action_0", "action_2"]
    assert send(context, cancellation.id) is Outcome.DONE
    assert len(controller.calls("cancel")) == 1
    run_round(context)
    assert reload(db, request_).jobs_cancelled == 2


def again(db: Session, cancellation: Cancellation) -> Cancellation:
    db.rollback()
    db.expire_all()
    return db.get_one(Cancellation, cancellation.id)


def test_a_job_that_has_ended_meanwhile_is_left_out(
    db: Session, context: Context, controller: Controller, request_: JobRequest
) -> None:
    """Cancelling it would make the controller forget its result."""
    cancellation = ask(db, request_)
    controller.move(request_.identifier, "succeeded", "running", "failed", "succeeded")
    send(context, cancellation.id)
    assert controller.calls("cancel") == [{"rap_id": request_.identifier, "actions": ["action_1"]}]
    assert again(db, cancellation).sent_actions == ["action_1"]
    assert reload(db, request_).jobs_succeeded == 2


def test_if_all_have_ended_nothing_is_sent(
    db: Session, context: Context, controller: Controller, request_: JobRequest
) -> None:
    cancellation = ask(db, request_)
    controller.move(request_.identifier, "succeeded", "succeeded", "succeeded", "succeeded")
    assert send(context, cancellation.id) is Outcome.SENT
    assert controller.calls("cancel") == []
    assert again(db, cancellation).sent_at is not None
    assert again(db, cancellation).sent_actions == []


def test_ended_jobs_are_left_out_even_if_the_answer_cannot_be_stored(
    db: Session, context: Context, controller: Controller, request_: JobRequest
) -> None:
    cancellation = ask(db, request_)
    controller.move(request_.identifier, "succeeded", "running", "pending", "succeeded")
    controller.jobs[request_.identifier].append(dict(controller.jobs[request_.identifier][3]))
    send(context, cancellation.id)
    assert controller.calls("cancel")[0]["actions"] == ["action_1", "action_2"]


def test_a_refusal_is_kept_and_the_actions_can_be_asked_for_again(
    db: Session, context: Context, controller: Controller, request_: JobRequest
) -> None:
    ask(db, request_, ["action_0"])
    cancellation = ask(db, request_, ["action_1"])
    controller.says["cancel"] = [json_reply({"details": "not today"}, 400)]
    assert send(context, cancellation.id) is Outcome.REFUSED
    assert again(db, cancellation).refusal == "not today"
    assert reload(db, request_).cancelled_actions == ["action_0"]
    assert ask(db, request_, ["action_1"]).actions == ["action_1"]


def test_a_request_that_the_controller_does_not_know_is_a_refusal(
    db: Session, context: Context, controller: Controller, request_: JobRequest
) -> None:
    cancellation = ask(db, request_)
    del controller.jobs[request_.identifier]
    assert send(context, cancellation.id) is Outcome.REFUSED
    assert again(db, cancellation).refusal == NOT_KNOWN
    assert controller.calls("cancel") == []


FAULTS = [DOWN, html_reply(502), html_reply(200), json_reply({"details": "Invalid token"}, 401)]


@pytest.mark.parametrize("endpoint", ["status", "cancel"])
@pytest.mark.parametrize("reply", FAULTS)
def test_without_a_usable_answer_it_is_sent_again(
    db: Session,
    context: Context,
    controller: Controller,
    request_: JobRequest,
    endpoint: str,
    reply: Reply,
) -> None:
    cancellation = ask(db, request_)
    controller.says[endpoint] = [reply]
    assert send(context, cancellation.id) is Outcome.UNKNOWN
    assert again(db, cancellation).sent_at is None
    assert len(reload(db, request_).cancelled_actions) == 3
    again(db, cancellation).created_at = utcnow() - timedelta(minutes=1)
    db.commit()
    repeat_what_failed(context)
    assert again(db, cancellation).sent_actions == ["action_0", "action_1", "action_2"]


def test_an_unconfigured_controller_leaves_it_to_be_sent(
    db: Session, context: Context, request_: JobRequest
) -> None:
    cancellation = ask(db, request_)
    context = replace(context, clients=replace(context.clients, rap=RapClient("", "")))
    assert send(context, cancellation.id) is Outcome.UNKNOWN
    assert again(db, cancellation).sent_at is None


class Death(BaseException):
    """The process dies here."""


class DyingAfter(RapClient):
    """A client whose process dies when the controller has said yes, before it is recorded."""

    def cancel(self, rap_id: str, actions: Iterable[str]) -> int:
        super().cancel(rap_id, actions)
        raise Death


def test_death_after_the_call_loses_nothing_and_doubles_nothing(
    db: Session, context: Context, controller: Controller, request_: JobRequest
) -> None:
    cancellation = ask(db, request_, ["action_0"])
    dying = replace(context, clients=replace(context.clients, rap=DyingAfter(controller.url, "rap-token")))
    with pytest.raises(Death):
        send(dying, cancellation.id)
    assert again(db, cancellation).sent_at is None
    assert send(context, cancellation.id) is Outcome.SENT
    assert len(controller.calls("cancel")) == 1
    assert again(db, cancellation).sent_actions == ["action_0"]


def test_two_at_once_send_it_once(
    db: Session, context: Context, controller: Controller, request_: JobRequest
) -> None:
    cancellation = ask(db, request_)
    with context.alone(locks.CANCELLATION, cancellation.id):
        assert send(context, cancellation.id) is Outcome.BUSY
    assert controller.calls("cancel") == []


def test_a_fresh_cancellation_is_left_to_the_worker(
    db: Session, context: Context, controller: Controller, request_: JobRequest
) -> None:
    ask(db, request_)
    repeat_what_failed(context, at_once=True)
    assert controller.calls("cancel") == []
