"""What a browser sent, as forms take it."""

from typing import Any

from webob.multidict import MultiDict


def texts(sent: Any) -> MultiDict:
    """The fields without uploaded files, which these forms have no field for."""
    return MultiDict((name, value) for name, value in sent.items() if isinstance(value, str))


def says_yes(value: object) -> bool:
    """Whether a field that switches something is on. Absent means no, and so do nothing, false and 0."""
    return isinstance(value, str) and value.strip().lower() not in {"", "false", "0"}
