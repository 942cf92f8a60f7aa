"""Markdown that people write, as HTML that can do no harm (spec: staff 17.19).

No HTML of the writer's own, no images; links say that this site does not answer for them. Headings begin
below those of the page.
"""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

# What `#` becomes: pages have their own headings of the first two levels.
TOP, LOWEST = 3, 6
TAGS = {"a", "blockquote", "br", "code", "em", "hr", "li", "ol", "p", "pre", "strong", "ul"} | {
    *{f"h{level}" for level in range(TOP, LOWEST + 1)},
    *{"table", "thead", "tbody", "tr", "th", "td"},
}
ATTRIBUTES = {"a": {"href"}, "ol": {"start"}, "*": set[str]()}
CLASSES = {"th": {"r"}, "td": {"r"}}
SCHEMES = {"http", "https", "mailto"}

_PARSER = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable("image")
# Of a few words it can make a table of 65,000 empty cells: only for what is not remembered by the hundred.
_WITH_TABLES = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable("image").enable("table")
# Of ours, so that a wide one can be scrolled without a mouse.
_SCROLLS = '<div class="scrolls" tabindex="0" role="group" aria-label="Table, scrolls sideways">'


@lru_cache(maxsize=256)
def markdown(text: str) -> Markup:
    """A short text as HTML, which is remembered."""
    return rendered(text)


def rendered(text: str, *, tables: bool = False) -> Markup:
    """The text as HTML: what the parser made, and of that only what is listed above."""
    parser = _WITH_TABLES if tables else _PARSER
    tokens = parser.parse(text)
    level = TOP - 1
    for token in tokens:
        if token.type == "heading_open":
            # None is left out on the way down, whatever the writer did.
            level = min(int(token.tag[1]) + TOP - 1, level + 1, LOWEST)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{level}"
        if token.attrs.pop("style", "") == "text-align:right":
            token.attrs["class"] = "r"
    html = parser.renderer.render(tokens, parser.options, {})
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        allowed_classes=CLASSES,
        url_schemes=SCHEMES,
        link_rel="nofollow noopener",
    )
    clean = clean.replace("<table>", f"{_SCROLLS}<table>").replace("</table>", "</table></div>")
    return Markup(clean)  # noqa: S704  # cleaned above, and the only HTML after that is ours
