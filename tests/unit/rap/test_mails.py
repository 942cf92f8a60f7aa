"""What the mails say and to whom they go (spec: pages 25 and 30.6)."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.clients.mail import Mailer, MailNotSent, Message, SmtpBackend
from jobserver.clients.slack import SlackClient
from jobserver.models import JobRequest, utcnow
from jobserver.rap.context import Context
from jobserver.rap.round import run_round
from jobserver.tasks import deliveries, mails
from jobserver.tasks.links import link
from jobserver.tasks.retrying import GiveUp
from tests import factories as f
from tests.unit.rap.controller import Controller, Outbox

BASE = "https://jobs.example.org/"


def ended(context: Context, controller: Controller, *states: str, **more: Any) -> JobRequest:
    workspace = f.WorkspaceFactory(
        name="asthma-main",
        project=f.ProjectFactory(slug="asthma", org=f.OrgFactory(slug="demo-university")),
    )
    request: JobRequest = f.JobRequestFactory(
        status="pending",
        settled_at=utcnow(),
        workspace=workspace,
        backend=f.BackendFactory(name="TPP"),
        **{"created_by": f.UserFactory(fullname="Ada O'Neill <x>", email="ada@example.com"), **more},
    )
    controller.add(request.identifier, *states)
    run_round(context)
    return request


def digest(db: Session, request: JobRequest) -> Message:
    db.rollback()
    message = mails.request_ended(db, request.id, BASE)
    assert message is not None
    return message


def test_the_digest_lists_failed_jobs_first_with_their_logs(
    db: Session, context: Context, controller: Controller
) -> None:
    request = ended(context, controller, "succeeded", "cancelled", "failed")
    message = digest(db, request)
    assert message.to == "ada@example.com"
    assert message.subject == f"failed: [os asthma-main] job request {request.id}"
    page = f"{BASE}demo-university/asthma/asthma-main/{request.id}/"
    jobs = controller.jobs[request.identifier]
    assert (
        message.text
        == f"""\
Hello Ada O'Neill <x>,

Job request {request.id} in the workspace asthma-main on TPP has ended: failed, after 10 min.
{page}

Failed (1)
- action_2, 10 min: Your code stopped with an error

Cancelled (1)
- action_1, 10 min: Cancelled

Succeeded (1)
- action_0, 10 min

What went wrong: the logs are on TPP, in the workspace asthma-main.
Sign in to Level 4, open Airlock and look at:
- metadata/action_2.log

The OpenSAFELY team, team@opensafely.org

You get this email because you asked to be notified about this job request.
"""
    )
    assert f'href="{page}"' in message.html
    assert f'href="{page}{jobs[2]["identifier"]}/"' in message.html
    assert "metadata/action_2.log" in message.html
    assert message.html.index("action_2") < message.html.index("action_1") < message.html.index("action_0")


def test_only_html_is_escaped(db: Session, context: Context, controller: Controller) -> None:
    """Operations 12.11."""
    message = digest(db, ended(context, controller, "succeeded"))
    assert "Ada O'Neill <x>" in message.text
    assert "Ada O&#39;Neill &lt;x&gt;" in message.html


def test_a_plain_success_has_nothing_about_logs(
    db: Session, context: Context, controller: Controller
) -> None:
    message = digest(db, ended(context, controller, "succeeded", "succeeded"))
    assert message.subject.startswith("succeeded: [os asthma-main]")
    assert "Succeeded (2)" in message.text
    for word in ("metadata/", "Failed", "What went wrong"):
        assert word not in message.text
        assert word not in message.html


def test_a_request_that_was_cancelled_is_called_so(
    db: Session, context: Context, controller: Controller
) -> None:
    message = digest(db, ended(context, controller, "cancelled", "succeeded"))
    assert message.subject.startswith("cancelled: ")
    assert "has ended: cancelled" in message.text


def test_clocks_that_disagree_hide_the_duration(
    db: Session, context: Context, controller: Controller
) -> None:
    request = f.JobRequestFactory(status="pending", settled_at=utcnow())
    controller.add(request.identifier, "succeeded", completed_at="2026-01-05T09:00:00Z")
    run_round(context)
    text = digest(db, request).text
    assert "has ended: succeeded.\n" in text
    assert "- action_0\n" in text


def test_the_first_failure_says_what_goes_on(db: Session, context: Context, controller: Controller) -> None:
    request = ended(context, controller, "failed", "running", "pending")
    db.rollback()
    message = mails.first_failure(db, request.id, BASE)
    assert message is not None
    assert message.subject == "failed: [os asthma-main] action_0"
    assert (
        message.text
        == f"""\
Hello Ada O'Neill <x>,

A job has failed in job request {request.id}, in the workspace asthma-main on TPP. \
The request has 2 other jobs; you get one more email when it has ended.
{BASE}demo-university/asthma/asthma-main/{request.id}/

- action_0, 10 min: Your code stopped with an error

What went wrong: the logs are on TPP, in the workspace asthma-main.
Sign in to Level 4, open Airlock and look at:
- metadata/action_0.log

The OpenSAFELY team, team@opensafely.org

You get this email because you asked to be notified about this job request.
"""
    )
    assert "2 other jobs" in message.html


@pytest.mark.parametrize("person", [{"email": None}, {"disabled": True}])
def test_nobody_is_told_who_cannot_or_must_not_be(
    db: Session, context: Context, controller: Controller, outbox: Outbox, person: dict[str, Any]
) -> None:
    changes = dict(person)
    if changes.pop("disabled", False):
        changes |= {"disabled_at": utcnow(), "disabled_by_id": f.UserFactory().id}
    request = ended(context, controller, "succeeded", created_by=f.UserFactory(**changes))
    deliveries.mail_request_ended(context, job_request_id=request.id)
    assert outbox.messages == []


def test_a_mail_is_delivered(db: Session, context: Context, controller: Controller, outbox: Outbox) -> None:
    request = ended(context, controller, "failed", "running")
    deliveries.mail_first_failure(context, job_request_id=request.id)
    deliveries.mail_request_ended(context, job_request_id=request.id)
    assert ["To: ada@example.com" in each for each in outbox.messages] == [True, True]


def test_a_mail_that_will_never_be_taken_is_given_up(
    db: Session, context: Context, controller: Controller
) -> None:
    request = ended(context, controller, "succeeded", created_by=f.UserFactory(email="not an address"))
    with pytest.raises(GiveUp):
        deliveries.mail_request_ended(context, job_request_id=request.id)


def test_a_mail_server_that_is_down_is_tried_again(
    db: Session, context: Context, controller: Controller
) -> None:
    request = ended(context, controller, "succeeded")
    mailer = Mailer(SmtpBackend("smtp://127.0.0.1:9"), "us@example.org")
    context = replace(context, clients=replace(context.clients, mail=mailer))
    with pytest.raises(MailNotSent) as failure:
        deliveries.mail_request_ended(context, job_request_id=request.id)
    assert failure.value.temporary


def test_staff_are_told_of_a_new_user(db: Session, context: Context, outbox: Outbox) -> None:
    user = f.UserFactory(username="ada+1")
    deliveries.announce_new_user(context, user_id=user.id)
    assert outbox.getvalue() == (
        "Slack #job-server-registrations: New user: <http://localhost/staff/users/ada%2B1/|ada+1>\n"
    )


def test_slack_that_is_off_is_no_fault(db: Session, context: Context) -> None:
    silent = replace(context, clients=replace(context.clients, slack=SlackClient("http://127.0.0.1:9", "")))
    deliveries.announce_new_user(silent, user_id=f.UserFactory().id)


def test_an_unknown_user_is_given_up(db: Session, context: Context) -> None:
    with pytest.raises(GiveUp):
        deliveries.announce_new_user(context, user_id=4711)


def test_links_are_absolute_and_escaped() -> None:
    assert link("https://x.org", "a b", "c/d", 7) == "https://x.org/a%20b/c%2Fd/7/"
