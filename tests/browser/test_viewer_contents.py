"""Scripts in released files do not run, neither within the viewer nor by themselves; tables work without ours."""

from typing import Any

from jobserver.clients.storage import ReleaseStorage
from jobserver.settings import Settings
from tests.browser.conftest import BROWSER
from tests.browser.test_viewer import release, site
from tests.web import releases as r

__all__ = ["release", "site"]
pytestmark = BROWSER

RAN = "document.documentElement.hasAttribute('data-ran')"
SCRIPT = b"<script>for (const it of [self, parent, top]) it.document.documentElement.dataset.ran = 1</script>"
FILES = {
    "report.html": b"<!doctype html><title>Report</title><body onload='top.name = 1'><p>Text" + SCRIPT,
    "figure.svg": b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'>" + SCRIPT + b"</svg>",
    "notes.md": SCRIPT + b"<img src=x onerror=top.name=1>",
    "table.csv": b'name,n\nb,10\n"' + SCRIPT + b'",9\n',
    "values.json": b'{"</summary>' + SCRIPT + b'": 1}',
    "run.log": SCRIPT,
}


def test_scripts_in_files_do_not_run_and_tables_need_none(
    chromium: Any, site: Settings, release: Any
) -> None:
    address, cookies, made = release
    storage = ReleaseStorage.from_settings(site)
    for name, content in FILES.items():
        r.file(made, name, content, storage=storage)
    context = chromium.new_context(base_url=site.base_url)
    context.add_cookies(
        [{"name": name, "value": value, "url": site.base_url} for name, value in cookies.items()]
    )
    window = context.new_page()
    for name in FILES:
        window.goto(f"{address}{name}/")
        for each in window.frames:
            assert not each.evaluate(RAN), f"a script of {name} ran in {each.url}"
        assert window.evaluate("name") == ""
        if name.endswith((".html", ".svg")):
            window.goto(window.get_by_role("link", name="Open", exact=True).get_attribute("href"))
            assert not window.evaluate(RAN), f"a script of {name} ran by itself"
    without = chromium.new_context(base_url=site.base_url, java_script_enabled=False)
    without.add_cookies(context.cookies())
    page = without.new_page()
    page.goto(f"{address}table.csv/")
    page.get_by_role("link", name="n", exact=True).click()
    page.wait_for_url("**sort=2")
    assert page.locator(".sheet tbody td").nth(1).inner_text() == "9"
    page.get_by_role("searchbox", name="Words in a row").fill("B")
    page.get_by_label("In which column").select_option("name")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**q=B**")
    assert page.locator(".sheet tbody tr").count() == 1
    without.close()
    context.close()
