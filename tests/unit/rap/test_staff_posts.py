"""What co-pilots are told in Slack (spec: staff 16)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from jobserver.clients.slack import SlackClient, SlackNotSent
from jobserver.models import utcnow
from jobserver.rap.context import Context
from jobserver.tasks import staff_posts
from jobserver.tasks.retrying import GiveUp
from tests import factories as f
from tests.contract.recorded import json_reply, serving
from tests.unit.rap.controller import Outbox


def test_a_new_project_is_told_with_its_people(db: Session, context: Context, outbox: Outbox) -> None:
    author = f.UserFactory(username="ann", fullname="Ann <Alyst>")
    pilot = f.UserFactory(username="pia", fullname="Pia & Co")
    project = f.ProjectFactory(name="Asthma|<b>", slug="asthma", number="7", created_by=author, copilot=pilot)
    staff_posts.announce_project(context, project_id=project.id)
    said = outbox.getvalue()
    assert "co-pilot-support" in said
    assert "<http://localhost/staff/projects/asthma/|7 - Asthma|&lt;b&gt;>" in said
    assert "created by <http://localhost/staff/users/ann/|Ann &lt;Alyst&gt;>" in said
    assert "Co-pilot: <http://localhost/staff/users/pia/|Pia &amp; Co>" in said
    with pytest.raises(GiveUp):
        staff_posts.announce_project(context, project_id=project.id + 1)


def test_support_that_ends_soon_is_told_by_its_end(db: Session, context: Context, outbox: Outbox) -> None:
    today = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    for name, days in (("Later", 5), ("Tomorrow", 1), ("Today", 0), ("Too late", 6), ("Over", -1)):
        f.ProjectFactory(
            name=name, slug=name.lower().replace(" ", "-"), copilot_support_ends_at=today + timedelta(days)
        )
    f.ProjectFactory(name="Open")
    staff_posts.announce_support_ends(context)
    (said,) = outbox.messages
    lines = [line for line in said.splitlines() if line.startswith("•")]
    assert lines == [
        "• <http://localhost/staff/projects/today/|Today> (today)",
        "• <http://localhost/staff/projects/tomorrow/|Tomorrow> (tomorrow)",
        f"• <http://localhost/staff/projects/later/|Later> ({(today + timedelta(5)).day} {today + timedelta(5):%b %Y})",
    ]


def test_without_any_nothing_is_said(db: Session, context: Context, outbox: Outbox) -> None:
    f.ProjectFactory()
    staff_posts.announce_support_ends(context)
    assert outbox.getvalue() == ""


def test_the_weekly_message_is_asked_for_once_a_week(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    now = utcnow()
    asked = []
    for days in range(14):
        monkeypatch.setattr(staff_posts, "utcnow", lambda days=days: now + timedelta(days))
        asked += [staff_posts.ask_for_support_ends(db) for _ in range(2)]
        db.commit()
    assert asked[0] is True
    assert 2 <= sum(asked) <= 3
    sundays = [day for day in range(1, 14) if (now + timedelta(day)).isoweekday() == 7]
    assert [day for day in range(1, 14) if asked[2 * day]] == sundays
    found = db.execute(
        text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'announce_support_ends'")
    )
    assert found.scalar_one() == sum(asked)


@pytest.mark.parametrize(("error", "raised"), [("ratelimited", SlackNotSent), ("channel_not_found", GiveUp)])
def test_what_slack_may_take_later_is_tried_again(
    db: Session, context: Context, error: str, raised: type[Exception]
) -> None:
    project = f.ProjectFactory(copilot=f.UserFactory())
    with serving(json_reply({"ok": False, "error": error})) as server:
        clients = replace(context.clients, slack=SlackClient(server.url, "xoxb"))
        with pytest.raises(raised):
            staff_posts.announce_project(replace(context, clients=clients), project_id=project.id)
    assert server.asked[0].json()["channel"] == "co-pilot-support"
