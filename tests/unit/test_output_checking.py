"""Where output checkers are told, by the command; and what they are told, in words."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, utcnow
from jobserver.models.choices import AirlockEventType
from jobserver.tasks import airlock_words
from jobserver.tasks.airlock_samples import event
from jobserver.tasks.airlock_words import markdown, slack
from tests import factories as f
from tests.unit.command import Run, ok, refused


def test_an_organisation_is_given_its_own_place_and_loses_it_again(db: Session, run: Run) -> None:
    org = f.OrgFactory(slug="bristol")
    said = ok(run("set-output-checking", "Bristol", "--repo", "o/r.x", "--channel", "#outputs", "--internal"))
    assert said == "Repository: o/r.x\nChannel: outputs\nLabel: internal\n"
    assert ok(run("set-output-checking", "bristol")) == said
    db.refresh(org)
    assert (org.output_checking_repo, org.output_checking_channel) == ("o/r.x", "outputs")
    cleared = ok(run("set-output-checking", "bristol", "--clear", "--external"))
    assert cleared == "Repository: the site’s own\nChannel: the site’s own\nLabel: external\n"
    events = db.scalars(
        select(AuditableEvent).where(AuditableEvent.type == "org_updated").order_by(AuditableEvent.id)
    ).all()
    there = {
        "output_checking_repo": ["", "o/r.x"],
        "output_checking_channel": ["", "outputs"],
        "is_internal": [False, True],
    }
    gone = {name: [new, old] for name, (old, new) in there.items()}
    assert [each.changes for each in events] == [there, gone]


def test_what_cannot_be_a_place_is_refused(db: Session, run: Run) -> None:
    f.OrgFactory(slug="bristol")
    for repo in ("name", "a/b/c", "https://github.com/a/b", "-a/b", "a/.."):
        refused(run("set-output-checking", "bristol", "--repo", repo), "owner/name")
    refused(run("set-output-checking", "bristol", "--channel", "two words"), "Slack channel")
    refused(run("set-output-checking", "nowhere"), "no organisation")
    assert run("set-output-checking", "bristol", "--clear", "--repo", "a/b").exit_code == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("3 files will be uploaded", "3 files will be uploaded"),
        ("a_b *c* `d`", r"a\_b \*c\* \`d\`"),
        ("[x](y)", r"\[x\]\(y\)"),
        ("<b>&amp;", r"\<b\>\&amp;"),
        ("1. x", r"1\. x"),
        ("- x", r"\- x"),
        ("# x", "\\#\u200b x"),
        ("@team o/r#1", "@\u200bteam o/r#\u200b1"),
        ("http://a.b www.c.d", r"http\://a.b www\.c.d"),
        ("two\nlines <!-- event:1 -->", r"two lines \<\!-- event:1 --\>"),
    ],
)
def test_what_people_wrote_is_no_markup_on_github(text: str, shown: str) -> None:
    assert markdown(text) == shown


def test_what_people_wrote_is_no_markup_in_slack() -> None:
    assert slack("<!channel> a & b\nc") == "&lt;!channel&gt; a &amp; b c"


def test_long_lists_are_cut_with_a_count() -> None:
    many = tuple(f"line {number} " + "_" * 480 for number in range(100))
    told = event(AirlockEventType.APPROVED, "Ada", utcnow())
    told = replace(told, updates=many)
    comment, post = airlock_words.comment(told), airlock_words.post(told, "http://x")
    assert len(comment) <= 65_536
    assert "more\n" in comment
    assert airlock_words.marker(told) in comment
    assert len(post) <= 4_000
    assert post.endswith(" more")


def test_a_title_fits_and_keeps_the_requests_id() -> None:
    told = event(AirlockEventType.SUBMITTED, "Ada", utcnow())
    told = replace(told, path=("o", "p", "w" * 255), request_id="r" * 100)
    title = airlock_words.title(told)
    assert len(title) == 256
    assert title.endswith(" " + "r" * 100)
