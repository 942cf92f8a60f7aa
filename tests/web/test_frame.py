"""What holds on every page, whichever it is."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from jobserver import make_app
from jobserver.settings import Settings
from tests import factories as f
from tests.web.conftest import Browser

PLAIN = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "browsing-topics=(), interest-cohort=()",
    "X-Frame-Options": "SAMEORIGIN",
}


def test_an_unknown_path_is_a_404_in_the_sites_frame(web: Browser) -> None:
    answer = web.get("/nowhere/at/all/", status=404)
    assert "Page not found" in answer
    assert answer.headers["Cache-Control"] == "no-store"


def test_security_headers_are_on_every_answer(web: Browser) -> None:
    """Operations 3.5 and access 8.5: pages, redirects, errors and static files alike."""
    for path, status in [
        ("/health-check/", 200),
        ("/health-check", 301),
        ("/nowhere/", 404),
        ("/static/robots.txt", 200),
    ]:
        headers = web.get(path, status=status).headers
        assert {name: headers[name] for name in PLAIN} == PLAIN
        assert "Strict-Transport-Security" not in headers, "this site is not reached by HTTPS"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy
        assert "form-action 'self'" in policy


def test_the_nonce_is_new_for_every_answer(web: Browser) -> None:
    policies = {web.get("/health-check/").headers["Content-Security-Policy"] for _ in range(2)}
    assert len(policies) == 2


def test_a_host_that_is_not_ours_is_refused(web: Browser) -> None:
    """Access 8.57."""
    web.get("/404", headers={"Host": "evil.example"}, status=400)
    web.get("/health-check/", headers={"Host": "10.0.0.7"}, status=200)


def test_a_path_without_its_final_slash_redirects_and_keeps_the_query(web: Browser) -> None:
    assert web.get("/status?a=1", status=301).location == "http://localhost/status/?a=1"


def test_anything_after_a_pages_name_is_a_404(web: Browser) -> None:
    web.get("/health-check/more/", status=404)


def test_a_wrong_method_is_a_405_that_says_which_are_right(web: Browser) -> None:
    answer = web.put("/health-check/", status=405)
    assert answer.headers["Allow"] == "GET"


def test_a_form_without_its_token_is_refused(web: Browser) -> None:
    """Access 6.1: whoever made the browser send it, nothing happens."""
    user = f.UserFactory()
    web.sign_in(user)
    answer = web.post("/logout/", status=400)
    assert "could not be sent" in answer
    assert "Account" in web.get("/404", status=404) or user.username in web.get("/404", status=404)


def test_a_body_larger_than_any_form_is_refused(web: Browser) -> None:
    web.post("/logout/", "x" * 2_700_000, status=413)


def test_a_field_that_comes_twice_is_refused(web: Browser) -> None:
    web.sign_in(f.UserFactory())
    answer = web.submit("/logout/", [("next", "/a/"), ("next", "/b/")], status=400)
    assert "next" in answer


def test_bytes_that_are_not_utf8_are_a_400(web: Browser) -> None:
    web.get("/%ff%fe/", status=400)
    web.get("/status/?q=%ff", expect_errors=True)


def test_site_alerts_are_for_people_who_are_signed_in_and_never_html(web: Browser) -> None:
    """Access 8.53."""
    f.SiteAlertFactory(title="Careful", message="<b>now</b>")
    assert "Careful" not in web.get("/404", status=404)
    page = web.sign_in(f.UserFactory()).get("/404", status=404)
    assert "Careful" in page
    assert "&lt;b&gt;now&lt;/b&gt;" in page


def test_another_loopback_name_leads_to_the_one_that_cookies_are_for(web: Browser) -> None:
    """On a developer's machine 127.0.0.1 and localhost are one site, with one way back from GitHub."""
    answer = web.get("/status/?a=1", headers={"Host": "127.0.0.1"}, status=302)
    assert answer.location == "http://localhost/status/?a=1"


@pytest.mark.parametrize("path", ["/%00/", "/a/%00/", "/status/%00/", "/jobs/%00/", "/%00"])
def test_a_nul_in_the_address_is_a_400(web: Browser, path: str) -> None:
    """PostgreSQL stores none, so nothing can have such a name."""
    web.get(path, status=400)


class TestTheAccountMenu:
    """Pages 2.2."""

    def links(self, page: Any) -> dict[str, str]:
        return {tag.get_text(strip=True): tag["href"] for tag in page.html.select(".acct.only-wide a")}

    def test_it_leads_to_everything_of_ones_own(self, web: Browser) -> None:
        web.sign_in(f.UserFactory(username="ann"))
        links = self.links(web.get("/status/"))
        assert links["Your requests"] == "/users/ann/logs/"
        for label, url in {
            "Your workspaces": "/workspaces/",
            "Your projects": "/projects/",
            "Your organisations": "/orgs/",
            "Settings": "/settings/",
        }.items():
            assert links[label] == url

    def test_each_link_leads_somewhere(self, web: Browser) -> None:
        web.sign_in(f.UserFactory())
        page = web.get("/status/")
        footer = [tag["href"] for tag in page.html.select_one(".foot").find_all("a")]
        for url in {*self.links(page).values(), *footer}:
            if url.startswith("/"):
                web.get(url, status=200)

    def test_the_page_itself_is_marked(self, web: Browser) -> None:
        web.sign_in(f.UserFactory(username="ann"))
        page = web.get("/users/ann/logs/")
        marked = {tag.get_text(strip=True) for tag in page.html.header.select("[aria-current=page]")}
        assert marked == {"Your requests"}

    def test_an_anonymous_reader_has_none(self, web: Browser) -> None:
        page = web.get("/status/")
        assert not page.html.select(".acct.only-wide")
        assert "Settings" not in page.html.header.text

    def test_pages_that_do_not_exist_are_not_linked(
        self, settings: Settings, engine: Engine, db: Session
    ) -> None:
        app = make_app(settings, engine=engine)
        app.registry["site_pages"] = frozenset({"event-log"})
        page = Browser(app).sign_in(f.UserFactory()).get("/event-log/")
        assert self.links(page) == {}
        for gone in ("/search/", "/accessibility/", "/organisations/", "/settings/"):
            assert f'"{gone}"' not in page


def test_the_footer_leads_to_what_everybody_may_read(web: Browser) -> None:
    """Pages 2.3."""
    labels = [tag.get_text(strip=True) for tag in web.get("/status/").html.select_one(".foot").find_all("a")]
    assert labels == [
        "Home",
        "Event log",
        "Organisations",
        "Status",
        "Documentation",
        "JSON API",
        "Accessibility",
        "Contact support",
        "Keyboard shortcuts",
    ]


def test_every_key_is_listed_and_can_be_read_without_script(web: Browser) -> None:
    """UI 11."""
    page = web.get("/status/")
    dialog = page.html.find("dialog", id="keys")
    keys = [" ".join(key.text for key in tag.find_all("kbd")) for tag in dialog.find_all("dt")]
    assert keys == ["/", "j k", "Enter", "↑ ↓ ← →", "g h", "g l", "g s", "Esc", "?"]
    assert page.html.select_one(".foot").find("a", string="Keyboard shortcuts")["href"] == "#keys"


def test_single_keys_can_be_switched_off(web: Browser) -> None:
    """WCAG 2.1.4."""
    assert "data-keys" not in web.get("/status/").html.html.attrs
    web.set_cookie("keys", "off")
    assert web.get("/status/").html.html["data-keys"] == "off"


def test_exact_times_are_shown_at_rest_to_whoever_wants_them(web: Browser) -> None:
    moment = datetime(2026, 6, 10, 12, 0, tzinfo=UTC)
    row = f.JobRequestFactory(started_at=moment)
    time = web.get("/event-log/").html.find(id=f"request-{row.id}").time
    assert time.text != time["title"] == "10 Jun 2026, 13:00:00 BST"
    web.set_cookie("times", "exact")
    time = web.get("/event-log/").html.find(id=f"request-{row.id}").time
    assert time.text == time["title"] == "10 Jun 2026, 13:00:00 BST"
