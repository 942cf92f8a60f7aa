"""The palette: text reads at 4.5 : 1, marks and edges at 3 : 1, in light and in dark."""

import re
from itertools import product
from pathlib import Path

import pytest

CSS = Path(__file__).parents[2] / "jobserver" / "frontend" / "css" / "tokens.css"
STATES = ("pending", "running", "succeeded", "failed", "cancelled", "nothing", "unknown", "warning")
THEMES = ("light", "dark")
GROUNDS = ("page", "surface", "sunken", "hover", "accent-tint")

TEXT_PAIRS = [
    *product(("text", "text-2", "text-3", "link"), GROUNDS),
    *((state, ground) for state in STATES for ground in (f"{state}-tint", "surface", "page")),
    *(("text", f"{state}-tint") for state in STATES),
    *(("link", ground) for ground in ("warning-tint", "failed-tint", "float")),
    *(("text", ground) for ground in ("float",)),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("on-failed", "failed"),
    ("on-header", "header"),
    ("on-header-2", "header"),
]
MARK_PAIRS = [
    *((f"{state}-fill", "surface") for state in STATES),
    *product(("line-strong",), ("page", "surface", "sunken")),
    ("header-line", "header"),
    ("pending-fill", "pending-tint"),
    ("accent", "accent-tint"),
    ("focus", "focus-edge"),
    ("focus", "header"),
]


def tokens() -> dict[str, tuple[str, str]]:
    css = CSS.read_text(encoding="utf-8")
    pairs = re.findall(r"--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)", css)
    single = re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6});", css)
    return {name: (light, dark) for name, light, dark in pairs} | {name: (c, c) for name, c in single}


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two colours."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_reads_on_every_ground_it_stands_on(ink: str, ground: str, theme: str) -> None:
    found = tokens()
    assert contrast(found[ink][THEMES.index(theme)], found[ground][THEMES.index(theme)]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("mark", "ground"), MARK_PAIRS)
def test_marks_and_edges_stand_out_from_what_is_beneath_them(mark: str, ground: str, theme: str) -> None:
    found = tokens()
    assert contrast(found[mark][THEMES.index(theme)], found[ground][THEMES.index(theme)]) >= 3.0


def test_the_measure_of_contrast_is_the_published_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_no_component_names_a_colour_of_its_own() -> None:
    """Colours live in the tokens; elsewhere only ink on marigold and the veil behind a dialog are literal."""
    allowed = {"#12252a", "#fff"}
    for path in sorted(CSS.parent.glob("*.css")):
        if path.name != "tokens.css":
            css = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", css)) <= allowed, path.name
