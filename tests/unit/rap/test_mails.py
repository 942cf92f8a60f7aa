"""What the mails about requests say (spec: pages 25 and 30.6)."""

from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from jobserver.clients.mail import Message
from jobserver.models import JobRequest, utcnow
from jobserver.rap.context import Context
from jobserver.rap.round import run_round
from jobserver.tasks import letters, mails
from jobserver.tasks.links import link
from tests import factories as f
from tests.unit.rap.controller import Controller

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
    return mails.request_ended(mails.load(db, request.id, BASE))


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

What next
- Read how to look at logs and outputs: https://docs.opensafely.org/jobs-site/

The OpenSAFELY team, team@opensafely.org

You get this email because you asked to be notified about this job request.
To get fewer such emails, or none about this workspace, see your settings: {BASE}settings/notifications/
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
    message = mails.first_failure(mails.load(db, request.id, BASE), digest_follows=True)
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

What next
- Read how to look at logs and outputs: https://docs.opensafely.org/jobs-site/

The OpenSAFELY team, team@opensafely.org

You get this email because you asked to be notified about this job request.
To get fewer such emails, or none about this workspace, see your settings: {BASE}settings/notifications/
"""
    )
    assert "2 other jobs" in message.html


def test_who_gets_no_digest_is_not_promised_one(
    db: Session, context: Context, controller: Controller
) -> None:
    request = ended(context, controller, "failed", "running")
    db.rollback()
    message = mails.first_failure(mails.load(db, request.id, BASE), digest_follows=False)
    assert message is not None
    assert "The request has 1 other job." in message.text
    assert "one more email" not in message.text + message.html


def test_without_a_failure_there_is_nothing_to_say_of_one(
    db: Session, context: Context, controller: Controller
) -> None:
    request = ended(context, controller, "cancelled", "running")
    db.rollback()
    assert mails.first_failure(mails.load(db, request.id, BASE), digest_follows=True) is None


def test_the_mail_leads_on_to_the_comparison_with_the_request_before(
    db: Session, context: Context, controller: Controller
) -> None:
    """Pages 30.2.36. The first request of a workspace has none before it."""
    first = ended(context, controller, "failed")
    message = digest(db, first)
    assert "/compare/" not in message.text + message.html
    second = f.JobRequestFactory(
        status="pending", settled_at=utcnow(), workspace=first.workspace, created_by=first.created_by
    )
    controller.add(second.identifier, "failed")
    run_round(context)
    message = digest(db, second)
    page = f"{BASE}demo-university/asthma/asthma-main/{second.id}/compare/"
    assert f"- See what is different from the request before: {page}\n" in message.text
    assert f'href="{page}"' in message.html


def test_both_parts_say_how_to_get_fewer_mails(db: Session, context: Context, controller: Controller) -> None:
    message = digest(db, ended(context, controller, "succeeded"))
    for part in (message.text, message.html):
        assert f"{BASE}settings/notifications/" in part
        assert "https://docs.opensafely.org/jobs-site/" in part


def test_a_mail_about_thousands_of_jobs_stays_short(
    db: Session, context: Context, controller: Controller
) -> None:
    request = ended(context, controller, *["failed"] * 30, *["succeeded"] * 2000)
    message = digest(db, request)
    assert "Failed (30)" in message.text
    assert "Succeeded (2000)" in message.text
    assert "- and 10 more, at " in message.text
    assert "- and 1980 more, at " in message.text
    assert message.text.count("metadata/") == 20
    assert len(message.text) < 6_000
    assert len(message.html) < 20_000


def test_a_name_cannot_bring_another_line_into_the_subject() -> None:
    """Neither CR nor LF, nor what some programs take for them."""
    subject = "failed: a\r\nBcc: all@example.org\x0b\u2028\x00 b"
    assert letters.one_line(subject) == "failed: a Bcc: all@example.org b"
    job = mails.JobLine("a\r\nBcc: x@example.org", mails.JobState.FAILED, BASE)
    about = mails.Digest(
        id=1,
        outcome="failed",
        lasted="",
        backend="TPP",
        workspace="w",
        email="ada@example.org",
        fullname="Ada",
        url=BASE,
        compare_url="",
        settings_url=BASE,
        jobs=(job,),
    )
    message = mails.first_failure(about, digest_follows=True)
    assert message is not None
    assert message.subject == "failed: [os w] a Bcc: x@example.org"
    many = mails.first_failure(replace(about, jobs=(job, job)), digest_follows=True)
    assert many is not None
    assert many.subject == "failed: [os w] 2 jobs"


def test_links_are_absolute_and_escaped() -> None:
    assert link("https://x.org", "a b", "c/d", 7) == "https://x.org/a%20b/c%2Fd/7/"
