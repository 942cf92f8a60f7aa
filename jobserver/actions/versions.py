"""Two people editing the same thing: the second learns what the first has changed (spec: domain 13.62)."""

import hashlib


class ChangedMeanwhile(Exception):
    """What is to be edited is no longer what the person saw; nothing was changed."""


def version_of(*values: str) -> str:
    """What tells these values from others. A form carries it from the page to the change."""
    return hashlib.sha256(repr(values).encode()).hexdigest()[:20]


def check_version(seen: str, *values: str) -> None:
    """Raise :class:`ChangedMeanwhile` unless these are the values that the person saw."""
    if seen != version_of(*values):
        raise ChangedMeanwhile
