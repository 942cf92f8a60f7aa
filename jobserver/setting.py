"""One setting: what is said of it, and what it may be."""

import dataclasses
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Described:
    """What the settings table says of one setting beside its name, type and default."""

    help: str
    secret: bool = False
    env: str = ""
    check: Callable[[typing.Any], str | None] | None = None


def url(value: str) -> str | None:
    """An address of the web."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "must be an address such as https://example.org/"
    return None


def optional_url(value: str) -> str | None:
    """An address of the web, or nothing."""
    return url(value) if value else None


def optional_prefix(value: str) -> str | None:
    """The beginning of a path, or nothing."""
    return None if re.fullmatch(r"(/[\w.-]+)+/|", value) else "must be a path such as /protected-releases/"


def database(value: str) -> str | None:
    """The address of a PostgreSQL database."""
    if not value.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        return "must be a PostgreSQL address such as postgresql://user:password@host/database"
    return None


def positive(value: int) -> str | None:
    """A whole number above 0."""
    return None if value > 0 else "must be a whole number above 0"


def long_enough(value: str) -> str | None:
    """A text that nobody guesses."""
    return None if len(value) >= 16 else "must have at least 16 characters"


def setting(
    description: str,
    *,
    default: object = dataclasses.MISSING,
    secret: bool = False,
    env: str = "",
    check: Callable[[typing.Any], str | None] | None = None,
) -> typing.Any:
    """A field of the settings, with what is said of it."""
    metadata = {"described": Described(description, secret, env, check)}
    if default is dataclasses.MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)
