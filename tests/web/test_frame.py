"""What holds on every page, whichever it is."""

import pytest

from tests import factories as f
from tests.web.conftest import Browser


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
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
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
