"""Browsers in plain words."""

import pytest

from jobserver.templating.browsers import browser

KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KIT} Chrome/130.0.0.0 Safari/537.36", "Chrome on Windows"),
        (
            f"Mozilla/5.0 (Windows NT 10.0) {KIT} Chrome/130.0 Safari/537.36 Edg/130.0.2849.68",
            "Edge on Windows",
        ),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {KIT} Version/17.6 Safari/605.1.15", "Safari on macOS"),
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) {KIT} Safari/604.1", "Safari on iPhone"),
        (f"Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) {KIT} CriOS/130.0 Safari/604.1", "Chrome on iPad"),
        (f"Mozilla/5.0 (Linux; Android 14; SM-S918B) {KIT} SamsungBrowser/26.0 Chrome/122.0 Mobile Safari/537.36", "Samsung Internet on Android"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {KIT} Chrome/130.0 Safari/537.36", "Chrome on ChromeOS"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {KIT} Chrome/130.0 Safari/537.36 OPR/115.0", "Opera on Linux"),
        ("curl/8.5.0", "curl"),
        ("Something/1.0 (Linux)", "A browser on Linux"),
        ("", "A browser that we do not know"),
        ("<script>", "A browser that we do not know"),
    ],
)  # fmt: skip
def test_a_browser_is_called_what_people_call_it(user_agent: str, name: str) -> None:
    assert browser(user_agent) == name
