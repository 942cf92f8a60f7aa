"""Long text from a browser, made fit for the database and the page."""

import re

# What no text of ours needs: all control characters but the tab and the line break. PostgreSQL refuses NUL.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def long_text(value: object) -> str:
    """The text with plain line breaks, without control characters and outer white space."""
    if not isinstance(value, str):
        return ""
    return _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n")).strip()
