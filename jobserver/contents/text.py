"""Bytes as text that can be shown: what is no UTF-8 and what has no glyph become visible."""

import re

BOM = b"\xef\xbb\xbf"
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
# All but tab and the ends of lines. Browsers drop some of them and hide the others.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}


def decoded(data: bytes) -> tuple[str, bool]:
    """The text, with � for what is not UTF-8, and whether there was any such."""
    text = data.decode("utf-8", "replace")
    return text, _UNKNOWN in text and text.count(_UNKNOWN) != data.count(_UNKNOWN.encode())


def visible(text: str) -> str:
    """The text with pictures of its control characters, such as ␀ for NUL."""
    return _CONTROL.sub(lambda found: chr(_PICTURES[ord(found[0])]), text)


class Trimmer:
    """Cuts what would make a page too long, and remembers whether it did.

    A piece has at most ``longest`` characters; once ``budget`` are used up, at most ``then``.
    """

    def __init__(self, longest: int, budget: int, then: int) -> None:
        self.longest, self._left, self._then = longest, budget, then
        self.has_cut = False

    def cut(self, text: str) -> str:
        """The text, or its beginning with an ellipsis."""
        longest = self.longest if self._left > 0 else self._then
        if len(text) > longest:
            text = f"{text[:longest]}…"
            self.has_cut = True
        self._left -= len(text)
        return text
