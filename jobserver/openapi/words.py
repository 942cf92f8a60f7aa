"""Sentences of the description as HTML: paragraphs, lists with ``- ``, ``**bold**`` and `code`."""

import re

from markupsafe import Markup, escape

_MARKS = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")


def words(text: str) -> Markup:
    """The text as HTML; one paragraph alone has no element around it."""
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]
    if len(blocks) == 1 and not blocks[0].startswith("- "):
        return _inline(blocks[0])
    return Markup().join(_block(block) for block in blocks)


def _block(text: str) -> Markup:
    if not text.startswith("- "):
        return Markup("<p>{}</p>").format(_inline(text))
    items = (Markup("<li>{}</li>").format(_inline(item)) for item in re.split(r"\n- ", text[2:]))
    return Markup('<ul class="bullets">{}</ul>').format(Markup().join(items))


def _inline(text: str) -> Markup:
    """The text escaped, with what is marked in it; its lines run on."""
    found, at = Markup(), 0
    text = " ".join(text.split())
    for mark in _MARKS.finditer(text):
        code, bold = mark.groups()
        found += escape(text[at : mark.start()])
        found += Markup("<code>{}</code>").format(code) if code else Markup("<b>{}</b>").format(bold)
        at = mark.end()
    return found + escape(text[at:])
