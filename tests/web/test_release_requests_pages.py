"""Where a release request stands, what happened to it, and who sees it (spec: airlock 12.50)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.models import utcnow
from jobserver.models.choices import AirlockEventType, ReleaseRequestState
from tests import factories as f
from tests.web import releases as r
from tests.web.conftest import Browser
from tests.web.test_releases_pages import MOST_STATEMENTS, rows, words


@pytest.fixture
def place(db: Session) -> r.Place:
    return r.place()


def asked(place: r.Place, state: str = "submitted", **values: Any) -> Any:
    """A release request of somebody who has left the project."""
    return f.ReleaseRequestFactory(workspace=place.workspace, state=state, **values)


def page_of(row: Any) -> str:
    return r.address(row.workspace, "release-requests", row.id)


# One request


def test_a_request_is_seen_by_its_author_the_developers_and_the_checkers_only(
    web: Browser, place: r.Place
) -> None:
    row = asked(place)
    web.get(page_of(row), status=303)
    for who, status in (
        (row.author, 200),
        (place.developer, 200),
        (place.checker, 200),
        (place.collaborator, 403),
        (place.stranger, 403),
        (f.ProjectMembershipFactory(roles=["ProjectDeveloper"]).user, 403),
        (f.UserFactory(roles=["StaffAreaAdministrator"]), 403),
    ):
        web.sign_in(who).get(page_of(row), status=status)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("submitted", "The output checkers have it. Two of them look at every file."),
        ("partially_reviewed", "The output checkers have it. One of two reviews is done."),
        ("reviewed", "Both reviews are done"),
        ("returned", "It is your turn."),
        ("approved", "It was approved; the files are on their way."),
        ("released", "The files were released."),
        ("rejected", "It was rejected. Nothing of it was released."),
        ("withdrawn", "It was withdrawn. Nothing of it was released."),
    ],
)
def test_its_page_says_whose_turn_it_is_and_since_when(
    web: Browser, place: r.Place, state: str, said: str
) -> None:
    row = asked(place, state, state_since=utcnow() - timedelta(hours=3))
    note = web.sign_in(row.author).get(page_of(row)).html.main.select_one(".note")
    assert said in words(note)
    assert "Since 3 hours ago (" in words(note)
    if state == "returned":
        other = web.sign_in(place.developer).get(page_of(row)).html.main.select_one(".note")
        assert f"{row.author.fullname} has to act." in words(other)


def test_every_state_is_tried_above() -> None:
    marks = test_its_page_says_whose_turn_it_is_and_since_when.pytestmark  # type: ignore[attr-defined]
    assert {state for state, _ in marks[0].args[1]} == set(ReleaseRequestState)


def test_its_history_is_told_newest_first_with_the_lines_that_came(web: Browser, place: r.Place) -> None:
    now = utcnow()
    row = asked(place, "submitted", turn=2)
    for number, (kind, turn, updates) in enumerate(
        [
            (AirlockEventType.SUBMITTED, 1, []),
            (
                AirlockEventType.RETURNED,
                1,
                [{"update": "See <b>questions</b>", "group": "main", "user": "c"}],
            ),
            (AirlockEventType.RESUBMITTED, 2, []),
        ]
    ):
        f.ReleaseRequestEventFactory(
            release_request=row,
            event_type=kind,
            turn=turn,
            updates=updates,
            created_at=now - timedelta(hours=5 - number),
            created_by=place.checker if kind == AirlockEventType.RETURNED else row.author,
            issue_at=now,
            slack_at=now,
            mail_at=now,
        )
    answer = web.sign_in(row.author).get(page_of(row))
    told = [words(each) for each in answer.html.select(".events li") if each.find("time")]
    assert [each.split(" by ")[0] for each in told] == ["Submitted again", "Returned", "Submitted"]
    assert "See <b>questions</b> (filegroup main) by user c" in told[1]
    assert "<b>questions" not in answer.text
    assert "by Checker One round 1" in told[1]
    assert "Still to be told" not in answer


def test_notifications_that_are_still_on_their_way_are_named(web: Browser, place: r.Place) -> None:
    row = asked(place, "returned")
    f.ReleaseRequestEventFactory(release_request=row, issue_at=utcnow())
    f.ReleaseRequestEventFactory(
        release_request=row,
        event_type="request_returned",
        created_by=place.checker,
        issue_at=utcnow(),
        comment_url="https://github.com/o/r/issues/1#issuecomment-2",
    )
    answer = web.sign_in(place.checker).get(page_of(row))
    panel = answer.html.find(id="under-way").find_parent("section")
    assert [words(each) for each in panel.select("li")] == [
        "Slack Returned, just now",
        "Email to the author Returned, just now",
    ]
    assert answer.html.find("a", href="https://github.com/o/r/issues/1#issuecomment-2")


def test_it_leads_to_its_issue_and_to_its_release_once_there_is_one(web: Browser, place: r.Place) -> None:
    row = asked(
        place, "approved", issue_repo="o/r", issue_number=7, issue_url="https://github.com/o/r/issues/7"
    )
    web.sign_in(place.developer)
    release = place.address("releases", row.id)
    answer = web.get(page_of(row))
    assert answer.html.find("a", href="https://github.com/o/r/issues/7")
    assert not answer.html.find("a", href=release)
    r.release(place, id=row.id)
    assert web.get(page_of(row)).html.find("a", href=release)
    assert not web.sign_in(row.author).get(page_of(row)).html.find("a", href=release)


def test_it_is_found_below_its_own_workspace_only(web: Browser, place: r.Place) -> None:
    row = asked(place)
    other = f.WorkspaceFactory(project=place.workspace.project)
    web.sign_in(place.checker)
    web.get(r.address(other, "release-requests", row.id), status=404)
    web.get(place.address("release-requests", "nothing"), status=404)
    web.get(place.address("release-requests", "x" * 200), status=404)


def test_an_id_of_any_form_can_be_addressed(web: Browser, place: r.Place) -> None:
    row = asked(place, id="odd id ü?")
    answer = web.sign_in(place.checker).get(place.address("release-requests"))
    assert "odd id ü?" in answer.click(href="odd%20id").html.h1.text
    assert row.id == "odd id ü?"


# Lists


def test_everybody_lists_what_they_may_open(web: Browser, place: r.Place) -> None:
    mine, theirs = asked(place, author=place.stranger), asked(place)
    elsewhere = f.ReleaseRequestFactory()
    listed = {
        place.stranger: [mine],
        place.developer: [mine, theirs],
        place.collaborator: [],
        place.checker: [mine, theirs, elsewhere],
        elsewhere.author: [elsewhere],
    }
    web.get("/release-requests/", status=303)
    web.get(place.address("release-requests"), status=303)
    for who, expected in listed.items():
        answer = web.sign_in(who).get("/release-requests/", status=200)
        assert {row["id"] for row in rows(answer, "request-")} == {f"request-{each.id}" for each in expected}
        here = web.get(place.address("release-requests"), status=200)
        assert {row["id"] for row in rows(here, "request-")} == {
            f"request-{each.id}" for each in expected if each is not elsewhere
        }
        for row in rows(answer, "request-"):
            web.get(row.a["href"], status=200)


def test_lists_are_narrowed_by_state_and_by_whose_turn_it_is(web: Browser, place: r.Place) -> None:
    made = {state: asked(place, state) for state in ReleaseRequestState}
    web.sign_in(place.checker)

    def shown(query: str) -> set[str]:
        return {row["id"] for row in rows(web.get(f"/release-requests/?{query}", status=200), "request-")}

    def of(*states: str) -> set[str]:
        return {f"request-{made[ReleaseRequestState(state)].id}" for state in states}

    assert shown("") == of(*ReleaseRequestState)
    assert shown("state=returned") == of("returned")
    assert shown("state=returned&state=released") == of("returned", "released")
    assert shown("turn=checkers") == of("submitted", "partially_reviewed", "reviewed")
    assert shown("turn=author&turn=airlock") == of("returned", "approved")
    assert shown("turn=checkers&state=reviewed") == of("reviewed")
    assert shown("turn=author&state=reviewed") == set()
    assert shown("whose=mine") == set()
    answer = web.get("/release-requests/?state=returned&turn=author&page=1")
    chips = [(words(chip), chip.a["href"]) for chip in answer.html.select(".chip")]
    assert chips == [("State: Returned", "?turn=author"), ("Whose turn: With the author", "?state=returned")]
    assert f"1 of {len(ReleaseRequestState)} release requests" in words(answer.html.main)
    web.get("/release-requests/?page=2", status=404)


def test_a_filter_that_means_nothing_is_said_and_nothing_is_shown(web: Browser, place: r.Place) -> None:
    asked(place)
    web.sign_in(place.checker)
    for query in ("state=rubbish", "turn=%00checker", "whose=theirs&state=submitted"):
        answer = web.get(f"/release-requests/?{query}&page=7", status=200)
        assert "Choose among those listed here." in answer
        assert answer.html.title.text.startswith("Error: ")
        assert not rows(answer, "request-")
    assert rows(web.get(place.address("release-requests") + "?whose=theirs"), "request-")


def test_ones_own_are_apart_from_those_of_others(web: Browser, place: r.Place) -> None:
    mine = asked(place, author=place.developer)
    asked(place)
    answer = web.sign_in(place.developer).get("/release-requests/?state=submitted")
    only_mine = answer.click("Yours")
    assert only_mine.request.path_qs == "/release-requests/?state=submitted&whose=mine"
    assert [row["id"] for row in rows(only_mine, "request-")] == [f"request-{mine.id}"]
    # What is filtered by next is still one's own.
    form = only_mine.html.select_one("form.filters")
    assert {each["value"] for each in form.select("[name=whose]")} == {"mine"}
    assert only_mine.click("All that you may see").request.path_qs == "/release-requests/?state=submitted"


def test_a_list_without_requests_says_how_to_make_one(web: Browser, place: r.Place) -> None:
    answer = web.sign_in(place.stranger).get("/release-requests/")
    assert "Sign in to Airlock inside a secure environment" in answer


def test_the_workspace_leads_to_its_requests_for_those_who_may_see_all(web: Browser, place: r.Place) -> None:
    for who, sees in (
        (None, False),
        (place.collaborator, False),
        (place.developer, True),
        (place.checker, True),
    ):
        if who:
            web.sign_in(who)
        tabs = [words(tab) for tab in web.get(place.address()).html.select(".tabs a")]
        assert ("Release requests" in tabs) is sees


def test_what_was_returned_to_me_needs_me_on_the_front_page(web: Browser, place: r.Place) -> None:
    row = asked(place, "returned", author=place.developer)
    asked(place, "returned")
    asked(place, "submitted", author=place.developer)
    answer = web.sign_in(place.developer).get("/")
    needs = answer.html.find(id="needs-you").find_parent("section")
    items = [words(each) for each in needs.select(".todo > li")]
    (returned,) = [each for each in items if "release request" in each.lower()]
    assert place.workspace.name in returned
    assert needs.find("a", href=page_of(row))


def test_checkers_see_on_the_front_page_how_many_wait_for_them(web: Browser, place: r.Place) -> None:
    web.sign_in(place.checker)
    assert "wait for output checkers" not in web.get("/")
    for state in ("submitted", "partially_reviewed", "reviewed", "returned", "released"):
        asked(place, state)
    answer = web.get("/")
    assert "3 release requests wait for output checkers" in words(answer.html.main)
    assert answer.html.find("a", href="/release-requests/?turn=checkers")
    assert "wait for output checkers" not in web.sign_in(place.developer).get("/")


def test_the_pages_send_the_same_few_statements_however_much_there_is(
    web: Browser, place: r.Place, count_statements: Callable[[], Any]
) -> None:
    row = asked(place, "returned", author=place.developer)

    def more(number: int, since: int) -> None:
        for turn in range(since, since + number):
            f.ReleaseRequestEventFactory(release_request=row, turn=turn, created_by=f.UserFactory())
            asked(place, "returned", author=place.developer)
            asked(place)

    pages = (
        "/release-requests/?state=returned&state=submitted",
        place.address("release-requests"),
        page_of(row),
        "/",
    )
    web.sign_in(place.developer)
    sent: list[int] = []
    for number, since in ((2, 1), (18, 3)):
        more(number, since)
        for page in pages:
            with count_statements() as statements:
                web.get(page, status=200)
            sent.append(len(statements))
            assert statements.writes == []
    assert sent[: len(pages)] == sent[len(pages) :]
    assert max(sent) <= MOST_STATEMENTS, sent
