"""Text from a browser: made fit for the database and the page, and what is said of text that is not."""

import re
from typing import Any

from wtforms.validators import Length, ValidationError

# What no text of ours needs: all control characters but the tab and the line break. PostgreSQL refuses NUL.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def long_text(value: object) -> str:
    """The text with plain line breaks, without control characters and outer white space."""
    if not isinstance(value, str):
        return ""
    return _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n")).strip()


def one_line(value: object) -> str:
    """The text on one line, without control characters and outer white space."""
    return " ".join(long_text(value).split())


def stripped(value: object) -> str:
    """What was typed, without outer white space."""
    return value.strip() if isinstance(value, str) else ""


def at_most(longest: int) -> Length:
    """Refuse more than so many characters."""
    return Length(max=longest, message=f"Shorten this to {longest:,} characters or fewer.")


def printable(_form: Any, field: Any) -> None:
    """Refuse control characters, and what else nobody can see."""
    if field.data and not field.data.isprintable():
        raise ValidationError("Use no control characters.")
