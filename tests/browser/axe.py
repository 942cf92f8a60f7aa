"""What axe says of a page (WCAG 2.0 to 2.2 A and AA, best practice), and whether it fits."""

from collections.abc import Iterable
from typing import Any

from tests.conftest import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What passes is many times as much, and nobody reads it.
VIOLATIONS = "async tags => (await axe.run({runOnly: tags, resultTypes: ['violations']})).violations"
# Sizes change the layout and schemes the colours: each of both is seen once.
LOOKS = ((1280, "light"), (390, "dark"))


def findings(window: Any) -> list[str]:
    """What axe finds on the page in the window."""
    window.evaluate(AXE.read_text())
    found = window.evaluate(VIOLATIONS, TAGS)
    return [
        f"{each['id']}: {each['help']} {[node['target'] for node in each['nodes'][:3]]}" for each in found
    ]


def faults_of(window: Any, addresses: Iterable[str], *, by_turns: bool = False) -> dict[str, list[str]]:
    """What is wrong with the pages at these addresses, by address and look.

    ``by_turns``: axe looks at each page once, in one look and the other; where the pages are of one frame.
    """
    faults = {}
    for number, address in enumerate(addresses):
        window.goto(address)
        for turn, (width, scheme) in enumerate(LOOKS):
            window.set_viewport_size({"width": width, "height": 900})
            window.emulate_media(color_scheme=scheme)
            found = [] if by_turns and (number + turn) % 2 else findings(window)
            if window.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                found.append("the page scrolls sideways")
            if found:
                faults[f"{address} at {width} px, {scheme}"] = found
    return faults
