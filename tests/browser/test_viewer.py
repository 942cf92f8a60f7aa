"""The viewer with its keys, its search as one types, and without any script."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from waitress.server import create_server

from jobserver import make_app
from jobserver.clients.storage import ReleaseStorage
from jobserver.settings import Settings
from tests import factories
from tests.browser.axe import LOOKS, findings
from tests.browser.conftest import BROWSER, free_port
from tests.conftest import make_settings
from tests.web import releases as r

pytestmark = BROWSER

KINDS = {
    "table.csv": b"name,n\nfew,3\nhidden,[REDACTED]\n",
    "figure.svg": b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0 9 9"/></svg>',
    "model.json": b'{"a": [1, {"b": null}]}',
    "notes.md": b"# Notes\n\nSome *text*, and [a link](https://example.com/).\n\n"
    b"%s|\n%s|\n%s|\n" % (b"|a_wide_column" * 20, b"|-:" * 20, b"|1" * 20),
    "report.html": b"<!doctype html><title>Report</title><h1>Report</h1>",
    "other.bin": b"\0\1",
}
FOCUSED = "() => document.activeElement.innerText.replace(/\\s+/g, ' ').trim()"


@pytest.fixture(scope="module")
def site(postgres: str, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The application alone, in a thread: nothing here needs the programs beside it."""
    folder, port = tmp_path_factory.mktemp("site"), free_port()
    settings = make_settings(postgres, base_url=f"http://127.0.0.1:{port}", release_storage=folder)
    server = create_server(make_app(settings, engine=engine), host="127.0.0.1", port=port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield settings
    server.close()
    thread.join(5)


@pytest.fixture
def release(site: Settings, db: Session) -> Any:
    """A release with folders, of which one file cannot be read, and what its developer is known by."""
    place, storage = r.place(), ReleaseStorage.from_settings(site)
    made = r.release(place)
    for name in ("a/one.csv", "a/two.csv", "b/three.txt", "four.log"):
        r.file(made, name, b"a,b\n1,2\n", storage=storage)
    r.redacted(made, "a/gone.csv", place.checker, "Counts below 6")
    cookies = factories.session_cookie(place.developer)
    return place.address("releases", made.id), cookies, made


@pytest.fixture
def window(chromium: Any, site: Settings, release: Any, request: Any) -> Iterator[Any]:
    """A window of the developer's; by the parameter one without script."""
    options = getattr(request, "param", {})
    context = chromium.new_context(base_url=site.base_url, viewport={"width": 1280, "height": 900}, **options)
    context.set_default_timeout(15_000)
    cookies = [{"name": name, "value": value, "url": site.base_url} for name, value in release[1].items()]
    context.add_cookies(cookies)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert complaints == []


def test_the_tree_is_walked_by_arrows_and_the_files_by_single_keys(window: Any, release: Any) -> None:
    page = release[0]
    window.goto(page)
    window.locator("#find-file").focus()
    seen = []
    for key in ("ArrowDown", "ArrowLeft", "ArrowDown", "ArrowUp", "ArrowRight", "ArrowRight", "ArrowDown"):
        window.keyboard.press(key)
        seen.append(window.evaluate(FOCUSED))
    assert seen == [
        "a 3 files",
        "a 3 files",
        "b 1 file",
        "a 3 files",
        "a 3 files",
        "redacted : gone.csv",
        "one.csv 8 bytes",
    ]
    window.keyboard.press("Enter")
    window.wait_for_url(f"**{page}a/one.csv/")
    assert window.evaluate(FOCUSED) == "one.csv 8 bytes", "the focus stays in the tree"
    window.keyboard.press("j")
    window.wait_for_url(f"**{page}a/two.csv/")
    window.keyboard.press("j")
    window.wait_for_url(f"**{page}b/three.txt/")
    window.keyboard.press("k")
    window.wait_for_url(f"**{page}a/two.csv/")
    window.go_back()
    window.wait_for_url(f"**{page}b/three.txt/")
    window.get_by_role("button", name="Full screen").click()
    window.wait_for_function("document.fullscreenElement?.id === 'file'")


def test_the_search_narrows_the_tree_as_one_types(window: Any, release: Any) -> None:
    page = release[0]
    window.goto(f"{page}four.log/")
    window.locator("#find-file").press_sequentially("CSV")
    window.get_by_role("status").get_by_text("3 of 5 files").wait_for()
    assert window.locator("#tree li[id]").count() == 3
    assert window.url.endswith("four.log/?find=CSV")
    # What comes next is what was found.
    window.locator("#find-file").press("ArrowDown")
    window.locator("#tree").get_by_text("two.csv").click()
    window.wait_for_url("**/a/two.csv/?find=CSV")
    window.keyboard.press("k")
    window.wait_for_url("**/a/one.csv/?find=CSV")
    window.locator("#find-file").fill("")
    window.get_by_text("5 files, 1 redacted").wait_for()


def test_a_folder_of_a_large_set_is_opened_in_its_place(window: Any, release: Any, db: Session) -> None:
    page, _, made = release
    from tests.web.test_viewer import many

    many(db, made, [f"large/{number:03}.csv" for number in range(401)])
    window.goto(page)
    window.locator("#tree").get_by_text("large").focus()
    window.locator("#tree a").filter(has_text="large").press("ArrowRight")
    window.locator("#tree").get_by_text("199.csv").wait_for()
    assert window.evaluate(FOCUSED).startswith("large 401")
    assert window.url.endswith(page)
    assert window.locator("#tree svg").first.bounding_box()["width"] > 0
    window.locator("#tree").get_by_text("More").click()
    window.locator("#tree").get_by_text("200.csv").wait_for()


@pytest.mark.parametrize("window", [{"java_script_enabled": False}], indirect=True)
def test_everything_works_without_script(window: Any, release: Any) -> None:
    page = release[0]
    window.goto(page)
    window.get_by_role("link", name="Open the first file").click()
    window.wait_for_url(f"**{page}a/one.csv/")
    window.get_by_role("link", name="Next file").click()
    window.wait_for_url(f"**{page}a/two.csv/")
    window.get_by_role("link", name="Previous file").click()
    window.wait_for_url(f"**{page}a/one.csv/")
    window.locator("#find-file").fill("three")
    window.locator("#find-file").press("Enter")
    window.wait_for_url(f"**{page}a/one.csv/?find=three")
    window.locator("#tree").get_by_text("three.txt").click()
    window.wait_for_url(f"**{page}b/three.txt/?find=three")
    window.goto(page)
    window.locator("#tree summary").first.click()
    assert not window.locator("#tree").get_by_text("two.csv").is_visible()
    assert not window.get_by_role("button", name="Full screen").is_visible()


@pytest.mark.parametrize("window", [{"bypass_csp": True, "reduced_motion": "reduce"}], indirect=True)
def test_files_of_every_kind_and_state_are_accessible(window: Any, site: Settings, release: Any) -> None:
    page, _, made = release
    storage = ReleaseStorage.from_settings(site)
    for name, content in KINDS.items():
        r.file(made, name, content, storage=storage)
    r.waiting(made, "late.csv")
    paths = ["a/gone.csv/", "b/", "late.csv/", "four.log/?find=nothing", *(f"{name}/" for name in KINDS)]
    for number, path in enumerate(paths):
        width, scheme = LOOKS[number % 2]
        window.set_viewport_size({"width": width, "height": 900})
        window.emulate_media(color_scheme=scheme)
        window.goto(page + path)
        assert findings(window) == [], path
        assert not window.evaluate("document.documentElement.scrollWidth > window.innerWidth"), path
