"""Glyphs. A page carries the symbols it uses, once, at the top of its body; macros refer to them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from jobserver.templating.states import STATES

# Drawn by script (busy buttons, toasts), or likely to come in with the next live fragment.
ALWAYS = ("i-ring", "i-x-mark", "i20-check-circle")
LIVE = (
    *(f"i-{state.icon}" for state in STATES.values()),
    *(
        "i-play",
        "i-paper-airplane",
        "i-inbox-arrow-down",
        "i-pause",
        "i20-x-circle",
        "i20-exclamation-triangle",
    ),
)
_USE = re.compile(r'<use href="#(i(?:20)?-[a-z0-9-]+)"')


class Icons:
    """The symbols of the built front end, by id: `i-clock` (16 units), `i20-clock` (20 units)."""

    def __init__(self, symbols: Mapping[str, str]) -> None:
        self._symbols = symbols
        # A long list shows the same few glyphs a hundred times.
        self._made: dict[tuple[str, int, str], Markup] = {}

    @classmethod
    def load(cls, dist: Path) -> "Icons":
        """Read what the build wrote. Raises FileNotFoundError with the remedy when it never ran."""
        path = dist / "icons.json"
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: build the front end (npm ci && npm run build)")
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def use(self, name: str, size: int = 16, css: str = "") -> Markup:
        """A glyph, hidden from screen readers. An unknown name or size raises LookupError."""
        made = self._made.get((name, size, css))
        if made is None:
            made = self._made[name, size, css] = self._make(name, size, css)
        return made

    def _make(self, name: str, size: int, css: str) -> Markup:
        prefix = {16: "i", 20: "i20"}[size]
        if f"{prefix}-{name}" not in self._symbols:
            raise LookupError(f"there is no icon {name!r} of size {size}; see heroicons.com")
        classes = f"i{size} {css}".strip()
        return Markup('<svg class="{}" aria-hidden="true"><use href="#{}-{}"/></svg>').format(
            classes, prefix, name
        )

    def symbols_in(self, html: str) -> Markup:
        """The definitions of all symbols that this HTML refers to, and of those that may still come."""
        wanted = {*_USE.findall(html), *ALWAYS, *(LIVE if "data-live" in html else ())}
        # Our own build wrote them: they are markup.
        return Markup("").join(Markup(self._symbols[name]) for name in sorted(wanted))  # noqa: S704
