"""Approving, rejecting, withdrawing, unpublishing, asking again (spec: airlock 6.3, 12.36, 12.38, 12.39)."""

import re
import threading
from typing import Any

import pytest
from sqlalchemy import select

from jobserver.actions import publication
from jobserver.actions.audit import OPERATOR
from jobserver.clients.storage import ReleaseStorage
from jobserver.models import AuditType, PublishRequest, utcnow
from tests import factories as f
from tests.web import releases as r
from tests.web.conftest import Browser
from tests.web.publishing.conftest import Here
from tests.web.test_releases_pages import rows, words

WHY = "Two cells of table 2 are below 8."


def seen(answer: Any) -> str:
    """What the form for approving carries."""
    return str(answer.html.select_one("input[name=seen]")["value"])


def test_a_publisher_looks_at_everything_and_publishes(web: Browser, here: Here) -> None:
    snapshot = here.draft(summary="Of *vaccines*")
    answer = web.sign_in(here.publisher).get(here.page(snapshot, "approve"), status=200)
    shown = words(answer.html.main)
    assert [words(row).split()[:2] for row in rows(answer, "file-")] == [
        ["output/", "a.csv"],
        ["output/", "b.csv"],
    ]
    for each in ("Uptake", "16 bytes in all", f"Asked for by {here.developer.fullname}", "Publish 2 files"):
        assert each in shown
    assert answer.html.main.em.string == "vaccines"
    link = rows(answer, "file-")[0].a["href"]
    assert web.get(link, status=302).follow().html.select_one("#file table")
    answer = web.submit(here.page(snapshot, "approve"), {"seen": seen(answer)}, status=303)
    assert answer.location.endswith(here.page(snapshot))
    assert here.decisions() == ["approved"]
    assert here.mails()[-1] == ("mail_publish_decision", here.developer.id, "approved")
    assert here.events()[-1] == (AuditType.SNAPSHOT_PUBLISHED, here.publisher.username, "")
    web.reset()
    web.get(here.page(snapshot), status=200)


def test_what_is_approved_is_what_was_looked_at(web: Browser, here: Here) -> None:
    snapshot = here.draft()
    answer = web.sign_in(here.publisher).get(here.page(snapshot, "approve"))
    publication.remove_files(here.db, snapshot, ["output/b.csv"], OPERATOR)
    here.db.commit()
    for stale in (seen(answer), "", "rubbish"):
        again = web.submit(here.page(snapshot, "approve"), {"seen": stale}, status=303)
        assert again.location.endswith(here.page(snapshot, "approve"))
    assert "Nothing was published" in again.follow()
    assert here.decisions() == [None]


def test_warnings_before_it_is_public(web: Browser, here: Here) -> None:
    late = r.waiting(here.files[0].release, "output/late.csv")
    snapshot = r.snapshot(here, [*here.files, late], title="Uptake")
    f.PublishRequestFactory(snapshot=snapshot, created_by=here.publisher)
    gone = here.files[0]
    gone.deleted_at, gone.deleted_by_id, gone.deleted_reason = utcnow(), here.checker.id, "too small"
    here.db.commit()
    shown = words(web.sign_in(here.publisher).get(here.page(snapshot, "approve")).html.main)
    for each in (
        "1 file was redacted since.",
        "1 file has not arrived.",
        "You asked for this yourself.",
        "Publish 1 file",
        "Without a summary.",
    ):
        assert each in shown
    assert "asked for this yourself" not in web.sign_in(here.other_publisher).get(
        here.page(snapshot, "approve")
    )


def test_nothing_that_can_be_read_is_nothing_to_publish(web: Browser, here: Here) -> None:
    gone = r.redacted(here.files[0].release, "output/gone.csv", here.checker)
    snapshot = r.snapshot(here, [gone], title="Uptake")
    f.PublishRequestFactory(snapshot=snapshot)
    answer = web.sign_in(here.publisher).get(here.page(snapshot, "approve"))
    assert "There is nothing to publish." in words(answer.html.main)
    assert not answer.html.select("input[name=seen]")


def test_a_rejection_needs_a_reason_which_only_those_inside_read(web: Browser, here: Here) -> None:
    snapshot = here.draft()
    page = here.page(snapshot, "reject")
    web.sign_in(here.publisher).get(page, status=200)
    for reason in ("", " \n ", "x" * 2001):
        answer = web.submit(page, {"reason": reason}, status=200)
        assert answer.html.select_one(".error-summary")
    assert here.decisions() == [None]
    answer = web.submit(page, {"reason": f"  {WHY}\r\nRound. "}, status=303)
    # A draft that nobody waits for is not for publishers.
    assert answer.location.endswith("/publish-requests/")
    assert "Rejected. Whoever asked is told why." in answer.follow()
    assert here.decisions() == ["rejected"]
    assert here.events()[-1] == (
        AuditType.PUBLISH_REQUEST_REJECTED,
        here.publisher.username,
        f"{WHY}\nRound.",
    )
    assert here.mails()[-1] == ("mail_publish_decision", here.developer.id, "rejected")
    web.get(here.page(snapshot), status=403)
    again = web.sign_in(here.developer).get(here.page(snapshot, "ask-again"))
    assert WHY in again
    todo = words(web.get("/").html.select_one("#needs-you").find_parent("section"))
    assert "Your request to publish Uptake was rejected" in todo
    web.submit(here.page(snapshot, "ask-again"), {"title": "Uptake"}, status=303)
    assert not web.get("/").html.select_one("#needs-you")
    # Nor does it need somebody who has left the project.
    refused = {"decision": "rejected", "decision_at": utcnow(), "decision_by": here.publisher}
    f.PublishRequestFactory(snapshot=r.snapshot(here, []), created_by=here.stranger, **refused)
    assert not web.sign_in(here.stranger).get("/").html.select_one("#needs-you")


def test_what_was_decided_meanwhile_is_said_and_changes_nothing(web: Browser, here: Here) -> None:
    snapshot = here.draft()
    web.sign_in(here.publisher)
    as_seen = seen(web.get(here.page(snapshot, "approve")))
    publication.reject(here.db, snapshot, here.other_publisher, WHY)
    here.db.commit()
    for name, fields in (
        ("approve", {"seen": as_seen}),
        ("reject", {"reason": "no"}),
        ("reject", {"reason": ""}),
        ("unpublish", {"reason": "no"}),
        ("unpublish", {"reason": ""}),
    ):
        for answer in (
            web.get(here.page(snapshot, name), status=303).follow(),
            web.submit(here.page(snapshot, name), fields, status=303).follow(),
        ):
            assert "Nothing was changed." in answer
    web.sign_in(here.developer)
    for answer in (
        web.get(here.page(snapshot, "withdraw"), status=303),
        web.submit(here.page(snapshot, "withdraw"), status=303),
    ):
        assert answer.location.endswith(here.page(snapshot))
    assert here.decisions() == ["rejected"]


def test_a_published_one_is_not_published_twice_and_not_asked_for_again(web: Browser, here: Here) -> None:
    snapshot = here.draft()
    web.sign_in(here.publisher)
    as_seen = seen(web.get(here.page(snapshot, "approve")))
    publication.publish(here.db, snapshot, here.other_publisher)
    here.db.commit()
    answer = web.submit(here.page(snapshot, "approve"), {"seen": as_seen}, status=303)
    assert "public already. Nothing was changed." in answer.follow()
    web.sign_in(here.developer)
    for answer in (
        web.get(here.page(snapshot, "ask-again"), status=303),
        web.submit(here.page(snapshot, "ask-again"), {"title": "Mine"}, status=303),
    ):
        assert answer.location.endswith(here.page(snapshot))
    here.db.refresh(snapshot)
    assert (snapshot.title, here.decisions()) == ("Uptake", ["approved"])


def test_two_publishers_at_once_decide_once(app: Any, here: Here) -> None:
    snapshot = here.draft()
    browsers = [Browser(app).sign_in(each) for each in (here.publisher, here.other_publisher)]
    as_seen = seen(browsers[0].get(here.page(snapshot, "approve")))
    browsers[1].get(here.page(snapshot, "reject"))
    sent = [("approve", {"seen": as_seen}), ("reject", {"reason": WHY})]
    start, answers = threading.Barrier(2), []

    def decide(browser: Browser, name: str, fields: dict[str, str]) -> None:
        start.wait(5)
        answers.append(browser.submit(here.page(snapshot, name), fields, status="*").status_int)

    threads = [
        threading.Thread(target=decide, args=(browser, *each))
        for browser, each in zip(browsers, sent, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers == [303, 303]
    (decision,) = here.decisions()
    assert decision in {"approved", "rejected"}
    assert len(here.mails()) == 3
    assert len(here.events()) == 3


def test_only_whoever_asked_withdraws(web: Browser, here: Here) -> None:
    snapshot = here.draft()
    page = here.page(snapshot, "withdraw")
    web.get(page, status=303)
    other = f.ProjectMembershipFactory(project=here.workspace.project, roles=["ProjectDeveloper"]).user
    for person in (other, here.publisher, here.stranger):
        web.sign_in(person).get(page, status=[403, 404])
        web.submit(page, status=[403, 404])
    assert here.decisions() == [None]
    web.sign_in(here.developer).get(page, status=200)
    answer = web.submit(page, status=303)
    assert "Withdrawn. You can ask again at any time." in answer.follow()
    assert here.decisions() == ["withdrawn"]
    assert here.events()[-1][0] == AuditType.PUBLISH_REQUEST_WITHDRAWN
    assert [each[0] for each in here.mails()] == ["mail_publish_request"] * 2


def test_the_public_cannot_withdraw_what_waits_beside_something_public(web: Browser, here: Here) -> None:
    snapshot = here.published()
    f.PublishRequestFactory(snapshot=snapshot, created_by=here.developer)
    web.get(here.page(snapshot, "withdraw"), status=303)
    web.sign_in(here.stranger).get(here.page(snapshot, "withdraw"), status=404)
    web.submit(here.page(snapshot, "withdraw"), status=404)
    assert here.decisions() == ["approved", None]


def test_unpublishing_has_a_reason_and_hides_page_files_and_zip(web: Browser, here: Here) -> None:
    snapshot = here.published()
    public = [here.page(snapshot), here.page(snapshot, "download")]
    public.append(here.address("published", here.files[0].id))
    for page in public:
        web.get(page, status=200)
    page = here.page(snapshot, "unpublish")
    web.sign_in(here.publisher).get(page, status=200)
    assert web.submit(page, {"reason": ""}, status=200).html.select_one(".error-summary")
    answer = web.submit(page, {"reason": WHY}, status=303)
    assert answer.location.endswith("/publish-requests/")
    request = here.db.scalars(select(PublishRequest).execution_options(populate_existing=True)).one()
    assert (request.decision, request.unpublished_by_id) == ("approved", here.publisher.id)
    assert request.unpublished_reason == WHY
    assert here.events()[-1] == (AuditType.SNAPSHOT_UNPUBLISHED, here.publisher.username, WHY)
    assert here.mails()[-1] == ("mail_publish_decision", here.developer.id, "unpublished")
    web.reset()
    for page in public:
        assert web.get(page, status=[303, 404]).status_int != 200


@pytest.mark.parametrize("before", ["rejected", "withdrawn", "unpublished"])
def test_asking_again_is_a_new_request_with_new_words(web: Browser, here: Here, before: str) -> None:
    snapshot = here.published() if before == "unpublished" else here.draft()
    if before == "unpublished":
        publication.unpublish(here.db, snapshot, here.publisher, WHY)
    elif before == "rejected":
        publication.reject(here.db, snapshot, here.publisher, WHY)
    else:
        publication.withdraw(here.db, snapshot, here.developer)
    here.db.commit()
    page = here.page(snapshot, "ask-again")
    answer = web.sign_in(here.developer).get(page, status=200)
    assert answer.html.select_one("input[name=title]")["value"] == "Uptake"
    assert web.submit(page, {"title": ""}, status=200).html.select_one(".error-summary")
    answer = web.submit(page, {"title": "Uptake, rounded", "summary": "Now rounded"}, status=303)
    assert answer.location.endswith(here.page(snapshot))
    here.db.refresh(snapshot)
    assert (snapshot.title, snapshot.summary) == ("Uptake, rounded", "Now rounded")
    assert here.decisions()[-1] is None
    assert len(here.decisions()) == 2
    assert here.made() == [1, 2, 2]


def test_asking_again_leaves_out_what_was_redacted_since(web: Browser, here: Here) -> None:
    snapshot = here.draft()
    publication.reject(here.db, snapshot, here.publisher, WHY)
    gone = here.files[0]
    gone.deleted_at, gone.deleted_by_id, gone.deleted_reason = utcnow(), here.checker.id, "too small"
    here.db.commit()
    page = here.page(snapshot, "ask-again")
    answer = web.sign_in(here.developer).get(page)
    assert "1 file was redacted since." in words(answer.html.main)
    answer = web.submit(page, {"title": "Uptake", "summary": "x"}, status=303)
    assert not answer.location.endswith(here.page(snapshot))
    assert here.made() == [2, 3, 2]
    assert here.decisions() == ["rejected", None]


def test_the_words_of_another_set_are_not_written_over(web: Browser, here: Here) -> None:
    rest = here.draft(here.files[1], title="Of b alone", summary="Theirs")
    both = here.draft()
    for each in (rest, both):
        publication.reject(here.db, each, here.publisher, WHY)
    gone = here.files[0]
    gone.deleted_at, gone.deleted_by_id, gone.deleted_reason = utcnow(), here.checker.id, "too small"
    here.db.commit()
    answer = web.sign_in(here.developer).submit(
        here.page(both, "ask-again"), {"title": "Mine", "summary": "Mine, too"}, status=303
    )
    assert answer.location.endswith(here.page(rest))
    assert "It keeps the title and summary that it had" in answer.follow()
    here.db.refresh(rest)
    assert (rest.title, rest.summary) == ("Of b alone", "Theirs")


def test_who_may_decide_and_only_from_our_own_form(web: Browser, here: Here) -> None:
    waits, public = here.draft(here.files[0]), here.published(here.files[1])
    acts = [(waits, "approve"), (waits, "reject"), (public, "unpublish")]
    for person in (here.developer, here.collaborator, here.checker, here.stranger):
        web.sign_in(person)
        for snapshot, name in acts:
            web.get(here.page(snapshot, name), status=[403, 404])
            web.submit(here.page(snapshot, name), {"reason": WHY}, status=[403, 404])
    web.reset()
    for snapshot, name in [*acts, (waits, "ask-again"), (waits, "withdraw")]:
        assert "/login/" in web.get(here.page(snapshot, name), status=303).location
    web.sign_in(here.publisher)
    for snapshot, name in acts:
        web.post(here.page(snapshot, name), {"reason": WHY}, status=400)
    for person in (here.collaborator, here.publisher):
        web.sign_in(person).get(here.page(waits, "ask-again"), status=403)
    assert here.decisions() == [None, "approved"]


def test_a_set_of_another_workspace_is_not_here(web: Browser, here: Here, storage: ReleaseStorage) -> None:
    snapshot = here.draft()
    sister = f.WorkspaceFactory(project=here.workspace.project)
    web.sign_in(here.publisher)
    for name in ("approve", "reject", "unpublish", "withdraw", "ask-again"):
        web.get(r.address(sister, "outputs", snapshot.id, name), status=404)


def test_html_in_words_and_reasons_is_text(web: Browser, here: Here) -> None:
    evil = "<script>alert(1)</script>"
    snapshot = here.draft(title=evil, summary=f"{evil} [x](javascript:alert(1)) <img src=x onerror=y>")
    publication.reject(here.db, snapshot, here.publisher, evil)
    here.db.commit()
    here.db.add(PublishRequest(snapshot_id=snapshot.id, created_by_id=here.developer.id))
    here.db.commit()
    for person, pages in (
        (here.developer, ["", "withdraw"]),
        (here.publisher, ["", "approve", "reject"]),
    ):
        web.sign_in(person)
        for name in pages:
            answer = web.get(here.page(snapshot, *filter(None, [name])), status=200)
            assert evil not in answer.text
            assert not re.search(r"<[^>]*(onerror|javascript:)", answer.text)
