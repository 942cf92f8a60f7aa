"""The page that says whether the backends work."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.models import ControllerContact, utcnow
from tests import factories as f
from tests.web.conftest import Browser


def row_of(page: Any, slug: str) -> str:
    return " ".join(page.html.find(id=f"backend-{slug}").get_text(" ").split())


def test_only_active_backends_are_listed_by_name_whatever_their_case(web: Browser) -> None:
    for name, slug in [("b", "b"), ("A", "a"), ("C", "c")]:
        f.BackendFactory(name=name, slug=slug)
    f.BackendFactory(slug="idle", is_active=False)
    rows = [tag["id"] for tag in web.get("/status/").html.select("tr[id]")]
    assert rows == ["backend-a", "backend-b", "backend-c"]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({}, "Working"),
        ({"last_seen_at": None}, "Not heard from yet"),
        ({"last_seen_at": utcnow() - timedelta(hours=1)}, "No contact"),
        ({"is_in_maintenance_mode": True}, "Maintenance"),
        ({"is_paused": True}, "Paused"),
        ({"last_seen_at": utcnow() - timedelta(hours=1), "is_in_maintenance_mode": True}, "No contact"),
        ({"last_seen_at": utcnow() - timedelta(hours=1), "is_paused": True}, "No contact"),
        ({"last_seen_at": utcnow() - timedelta(minutes=9), "alert_timeout": timedelta(hours=1)}, "Working"),
    ],
)
def test_each_backend_has_the_state_that_matters_most(web: Browser, values: Any, word: str) -> None:
    f.BackendFactory(slug="tpp", **{"last_seen_at": utcnow(), **values})
    assert word in row_of(web.get("/status/"), "tpp")


def test_running_and_pending_jobs_are_counted_for_each_backend(web: Browser) -> None:
    tpp = f.BackendFactory(slug="tpp", last_seen_at=utcnow())
    f.BackendFactory(slug="emis", last_seen_at=utcnow())
    request = f.JobRequestFactory(backend=tpp)
    for status in ("running", "pending", "pending", "succeeded"):
        f.JobFactory(job_request=request, status=status)
    page = web.get("/status/")
    assert "Working 1 2 just now" in row_of(page, "tpp")
    assert "Working 0 0 just now" in row_of(page, "emis")


def test_a_backend_never_seen_is_never_none(web: Browser) -> None:
    """Pages 30, 20."""
    f.BackendFactory(slug="new")
    row = row_of(web.get("/status/"), "new")
    assert row.endswith("never")
    assert "None" not in row
    assert web.get("/status/new/", status=200).text == "never"


def test_the_maintenance_note_is_for_people_who_are_signed_in(web: Browser) -> None:
    """Rap 6.2."""
    f.BackendFactory(slug="tpp", last_seen_at=utcnow(), is_in_maintenance_mode=True)
    assert "Database maintenance" not in row_of(web.get("/status/"), "tpp")
    page = web.sign_in(f.UserFactory()).get("/status/")
    assert "Database maintenance" in row_of(page, "tpp")


def test_what_maintenance_means_can_be_linked_to(web: Browser) -> None:
    assert "put back in the queue" in web.get("/status/").html.find(id="db-maintenance-mode").text


def test_an_installation_without_backends_says_so(web: Browser) -> None:
    page = web.get("/status/")
    assert "No backend is in use" in page
    assert "RAP controller last reached: never" in " ".join(page.html.get_text().split())


def test_a_controller_that_cannot_be_reached_is_reported_without_its_error(web: Browser, db: Session) -> None:
    now = utcnow()
    db.add(
        ControllerContact(id=1, reached_at=now - timedelta(minutes=9), failed_at=now, failure="secret host")
    )
    db.commit()
    page = web.get("/status/")
    assert "controller cannot be reached" in page
    assert "9 min ago" in page
    assert "secret host" not in page
    contact = db.get(ControllerContact, 1)
    assert contact is not None
    contact.reached_at = utcnow()
    db.commit()
    assert "cannot be reached" not in web.get("/status/")


def test_the_page_refreshes_itself_every_thirty_seconds(web: Browser, db: Session) -> None:
    backend = f.BackendFactory(slug="tpp", last_seen_at=utcnow())
    region = web.get("/status/").html.find(id="backends")
    assert (region["hx-get"], region["data-live"]) == ("/status/?live=1", "30")
    answers = [web.get("/status/?live=1") for _ in range(2)]
    assert "<html" not in answers[0]
    again = [
        web.get("/status/?live=1", headers={"If-None-Match": answer.headers["ETag"]}, status="*")
        for answer in answers
    ]
    assert again[1].status_code == 304 or answers[0].headers["ETag"] != answers[1].headers["ETag"]
    backend.is_paused = True
    db.commit()
    after = web.get("/status/?live=1", headers={"If-None-Match": answers[1].headers["ETag"]})
    assert "Paused" in after


def test_the_number_of_statements_does_not_grow(web: Browser, count_statements: Callable[[], Any]) -> None:
    web.sign_in(f.UserFactory())
    numbers = []
    for more in (2, 18):
        f.BackendFactory.create_batch(more, last_seen_at=utcnow())
        with count_statements() as sent:
            web.get("/status/")
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 12
