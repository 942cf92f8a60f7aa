"""The frame of every page, and the error pages."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from jinja2 import Environment
from webob import Request

Page = Callable[..., BeautifulSoup]
RESEARCHER = SimpleNamespace(username="researcher", fullname="Rae Searcher", uses_github=True)


def asking(path: str, identity: Any, permissions: tuple[str, ...]) -> Any:
    request = Request.blank(path)
    request.identity = identity
    request.csp_nonce = "n0nce"
    request.has_permission = lambda permission, context=None: permission in permissions
    return request


@pytest.fixture
def page(jinja: Environment) -> Page:
    def render(
        template: str | None = None,
        path: str = "/",
        identity: Any = RESEARCHER,
        permissions: tuple[str, ...] = (),
        **context: Any,
    ) -> BeautifulSoup:
        found = jinja.get_template(template) if template else jinja.from_string(PLAIN)
        settings = {
            "base_url": "https://jobs.example.org",
            "debug": False,
            "disable_creating_jobs": False,
            "support_email": "support@example.org",
        }
        html = found.render(
            {
                "request": asking(path, identity, permissions),
                "settings": settings,
                "csrf_token": lambda: "t0ken",
                "site_alerts": [],
                "flashes": [],
                "theme": None,
                "site_pages": {"settings", "staff"},
                "breadcrumbs": [],
                **context,
            }
        )
        return BeautifulSoup(html, "html.parser")

    return render


PLAIN = '{% extends "layout.jinja2" %}{% block title %}Event log{% endblock %}{% block main %}<p>Body</p>{% endblock %}'


def test_a_page_has_its_title_its_skip_link_first_and_its_main_part_reachable(page: Page) -> None:
    html = page()
    assert html.title.text == "Event log – Job server"
    assert html.body.find("a")["href"] == "#content"
    main = html.find("main")
    assert (main["id"], main["tabindex"], main.p.text) == ("content", "-1", "Body")


def test_the_only_script_is_a_module_with_the_nonce(page: Page) -> None:
    (script,) = page().find_all("script")
    assert (script["type"], script["nonce"], script.text) == ("module", "n0nce", "")
    assert script["src"].startswith("/static/dist/assets/main-")


def test_the_symbols_stand_before_everything_that_refers_to_them(page: Page) -> None:
    html = page()
    symbols = {symbol["id"] for symbol in html.body.svg.find_all("symbol")}
    used = {use["href"].removeprefix("#") for use in html.find_all("use")}
    assert used <= symbols


def test_anonymous_visitors_are_offered_to_sign_in_and_come_back(page: Page) -> None:
    html = page(path="/event-log/?status=failed&page=2", identity=None)
    links = {a["href"] for a in html.header.find_all("a") if a.text.strip() == "Sign in"}
    assert links == {"/login/?next=/event-log/%3Fstatus%3Dfailed%26page%3D2"}
    assert html.find("form", action="/logout/") is None


def test_the_login_page_keeps_where_one_wanted_to_go(page: Page) -> None:
    """Access 8.12: its own sign-in link does not forget the destination."""
    html = page(path="/login/?next=/x/", identity=None)
    assert {a["href"] for a in html.header.find_all("a") if a.text.strip() == "Sign in"} == {
        "/login/?next=/x/"
    }


def test_signing_out_is_a_post_with_the_token(page: Page) -> None:
    form = page().find("form", action="/logout/")
    assert form["method"] == "post"
    assert form.find("input", {"name": "csrfmiddlewaretoken"})["value"] == "t0ken"


def test_the_staff_area_is_linked_only_for_those_who_may_enter(page: Page) -> None:
    assert page().find("a", href="/staff/") is None
    assert page(permissions=("staff_area_view",)).find("a", href="/staff/") is not None


def test_the_staff_area_is_marked(page: Page) -> None:
    html = page(path="/staff/users/", permissions=("staff_area_view",))
    assert "staff" in html.header["class"]
    assert html.find(class_="area").text == "Staff area"


def test_the_current_part_of_the_site_is_said(page: Page) -> None:
    current = page(path="/event-log/").header.find_all("a", attrs={"aria-current": "page"})
    assert {a["href"] for a in current} == {"/event-log/"}


def test_notices_come_in_order_and_flashes_are_announced(page: Page) -> None:
    html = page(
        settings={"debug": True, "disable_creating_jobs": True, "support_email": "support@example.org"},
        site_alerts=[{"title": "Maintenance", "message": "On <Friday>", "level": "warning"}],
        flashes=[
            {"level": "success", "text": "Saved", "link_url": "/x/", "link_text": "See it"},
            {"level": "danger", "text": "<b>Not</b> sent", "link_url": None, "link_text": None},
        ],
    )
    notes = html.find_all(class_="note")
    assert [note.b.text for note in notes] == [
        "No jobs can be created just now.",
        "Maintenance",
        "Saved",
        "<b>Not</b> sent",
    ]
    assert [note.get("role") for note in notes] == [None, None, "status", "alert"]
    assert notes[2].a["href"] == "/x/"
    assert "On <Friday>" in notes[1].text
    assert "Development" in html.header.text


def test_a_page_without_notices_has_no_empty_place_for_them(page: Page) -> None:
    assert page().find(class_="frame-alerts") is None


def test_a_chosen_theme_is_on_the_root_element_only_when_chosen(page: Page) -> None:
    assert "data-theme" not in page().html.attrs
    assert page(theme="dark").html["data-theme"] == "dark"


def test_single_keys_can_be_switched_off(page: Page) -> None:
    assert "data-keys" not in page().html.attrs
    assert page(single_keys=False).html["data-keys"] == "off"


@pytest.mark.parametrize("code", [400, 403, 404, 405, 413, 500, "csrf"])
@pytest.mark.parametrize("identity", [None, RESEARCHER])
def test_an_error_page_says_what_happened_and_what_to_do(page: Page, code: int | str, identity: Any) -> None:
    html = page("errors/error.jinja2", path="/nowhere/", identity=identity, code=code)
    shown = "400" if code == "csrf" else str(code)
    assert html.title.text.startswith(f"{shown} ")
    assert shown in html.h1.text
    assert len(html.main.find_all("p")) >= 3
    sign_in = html.main.find("a", string="Sign in")
    assert (sign_in is not None) == (identity is None)
    assert sign_in is None or sign_in["href"] == "/login/?next=/nowhere/"


def test_a_refusal_names_the_roles_that_would_allow_it_and_who_gives_them(page: Page) -> None:
    needs = [{"role": "Project developer", "lets": "Runs jobs", "given_by": "staff"}]
    text = page("errors/error.jinja2", code=403, needs=needs, detail="You may not run jobs here.").main.text
    assert "You may not run jobs here." in text
    assert "Project developer" in text
    assert "Given by staff" in text


def test_an_error_page_can_do_without_knowing_who_asks(jinja: Environment) -> None:
    html = jinja.get_template("errors/error.jinja2").render(code=500, frame="errors/bare.jinja2")
    assert "500" in BeautifulSoup(html, "html.parser").title.text
