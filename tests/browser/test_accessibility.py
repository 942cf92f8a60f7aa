"""Every page passes axe (WCAG 2.0 to 2.2 A and AA, best practice) and never scrolls sideways."""

from typing import Any

import pytest

from tests.browser.conftest import System, sign_in
from tests.browser.test_journey import WORKSPACE, ask_for, wait_for_end
from tests.conftest import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PUBLIC = [
    "/",
    "/login/",
    "/status/",
    "/event-log/",
    "/ui-components/",
    "/nowhere/",
    "/demo-university/",
    "/demo-university/logs/",
    "/demo-university/asthma-in-adults/",
    WORKSPACE,
]


@pytest.fixture(scope="module")
def pages(system: System, chromium: Any) -> list[str]:
    """Addresses of pages that exist only once something ran: a failed job and its request."""
    context = chromium.new_context(base_url=system.base_url)
    window = context.new_page()
    sign_in(window, "researcher")
    address = ask_for(window, "run_all")
    wait_for_end(window, "Failed")
    window.goto(address)
    window.get_by_role("link", name="survival_model").first.click()
    window.wait_for_load_state()
    job = str(window.url)
    context.close()
    return [address, job]


def findings(window: Any) -> list[str]:
    """What axe finds on the page in the window."""
    window.evaluate(AXE.read_text())
    found = window.evaluate("tags => axe.run({runOnly: tags})", TAGS)
    return [
        f"{each['id']}: {each['help']} {[node['target'] for node in each['nodes'][:3]]}"
        for each in found["violations"]
    ]


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
)
@pytest.mark.parametrize("who", ["anonymous", "researcher"])
def test_pages_are_accessible_and_fit(
    chromium: Any, system: System, pages: list[str], width: int, scheme: str, who: str
) -> None:
    # The policy forbids what axe is injected with; it is tested elsewhere.
    context = chromium.new_context(
        base_url=system.base_url,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        bypass_csp=True,
        reduced_motion="reduce",
    )
    window = context.new_page()
    addresses = [*PUBLIC, *pages]
    if who == "researcher":
        sign_in(window, "researcher")
        addresses = ["/", WORKSPACE, WORKSPACE + "run-jobs/?backend=tpp", *pages]
    faults = {}
    for address in addresses:
        window.goto(address)
        found = findings(window)
        if window.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append("the page scrolls sideways")
        if found:
            faults[address] = found
    context.close()
    assert faults == {}, "\n".join(f"{page}: {found}" for page, found in faults.items())
