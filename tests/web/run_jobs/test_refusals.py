"""What the run form refuses."""

from typing import Any

import pytest
from sqlalchemy.orm import Session
from webtest import Upload

from tests import factories as f
from tests.web.conftest import Browser
from tests.web.run_jobs.asking import Asking, fields, refused, sent, ticked
from tests.web.uploads import leaves_files


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "Choose where it should run."),
        ({"backend": "tpp"}, "Choose at least one action."),
        ({"backend": "nowhere", "requested_actions": "table_one"}, "“nowhere” cannot be chosen."),
        ({"backend": "\0", "requested_actions": "table_one"}, "cannot be chosen"),
        ({"backend": "tpp", "requested_actions": "no_such"}, "no_such is not an action"),
        ({"backend": "tpp", "requested_actions": ""}, "is not an action"),
        ({"backend": "tpp", "requested_actions": "<b>\0" + "x" * 9000}, "is not an action"),
        (
            {"backend": "tpp", "requested_actions": ["a", "b", "c", "d", "e", "f", "g"]},
            "and 2 more are no actions",
        ),
    ],
)
def test_a_form_that_asks_for_what_is_not_offered_is_shown_again(
    world_web: Browser, asking: Asking, db: Session, form: dict[str, Any], message: str
) -> None:
    page = world_web.submit(asking.url, fields(world_web.get(asking.url), **form))
    assert message in refused(page)
    assert "<b>\0" not in page
    assert len(page.text) < 80_000
    assert sent(db) == []


def test_somebody_elses_or_an_inactive_backend_cannot_be_chosen(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    hidden = f.BackendFactory(slug="hidden")
    asking.emis.is_active = False
    db.commit()
    for slug in (hidden.slug, "emis"):
        page = world_web.submit(asking.url, {"backend": slug, "requested_actions": "table_one"})
        assert "cannot be chosen" in refused(page)
        assert hidden.name not in page
    assert sent(db) == []


def test_everything_is_kept_when_the_form_is_shown_again(world_web: Browser, asking: Asking) -> None:
    """Pages 30.2, 22."""
    before = world_web.get(asking.url)
    page = world_web.submit(
        asking.url,
        fields(
            before,
            requested_actions=["table_one", "run_all"],
            force_run_dependencies="on",
            will_notify="True",
        ),
    )
    assert "Choose where" in refused(page)
    assert ticked(page) == ["table_one", "run_all"]
    assert page.html.select("#force_run_dependencies[checked]")
    assert page.html.select("input[name=will_notify][value=True][checked]")
    for name in ("commit", "once"):
        assert (
            page.html.select_one(f"input[name={name}]")["value"]
            == before.html.select_one(f"input[name={name}]")["value"]
        )


def test_without_script_a_button_updates_the_plan_and_runs_nothing(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    page = world_web.submit(
        asking.url, fields(world_web.get(asking.url), backend="emis", requested_actions="table_one", look="1")
    )
    assert not page.html.select(".error-summary")
    assert "on EMIS" in page.html.select_one("#plan").get_text()
    assert ticked(page) == ["table_one"]
    assert sent(db) == []


@leaves_files
@pytest.mark.usefixtures("swept")
def test_a_file_where_a_text_is_meant_counts_for_nothing(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    for name in ("backend", "requested_actions", "commit", "once", "will_notify"):
        refused(world_web.submit(asking.url, [(name, Upload("a.txt", b"\xff\x00"))]))
    assert sent(db) == []


@leaves_files
@pytest.mark.usefixtures("swept")
def test_rubbish_is_never_a_500(world_web: Browser, asking: Asking, db: Session) -> None:
    world_web.submit(asking.url, [("backend", "tpp"), ("backend", "emis")], status=400)
    many = [("requested_actions", f"a{n}") for n in range(5000)]
    world_web.submit(asking.url, many, status=413)
    page = world_web.submit(asking.url, [("backend", "tpp"), *many[:3000]])
    assert "and 2,995 more" in refused(page)
    for query in (
        "ref=%00",
        "ref=" + "x" * 3000,
        "backend=%00",
        "requested_actions=%F0%9F%98%80",
        "commit=%00",
    ):
        world_web.get(asking.url + "?" + query, status=200)
        world_web.get(asking.plan_url + "?" + query, status=200)
    world_web.get(asking.url + "?ref=%ff", status=400)
    assert sent(db) == []
