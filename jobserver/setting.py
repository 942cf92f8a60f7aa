"""One setting: what is said of it, and what it may be."""

import dataclasses
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


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


def optional_named_url(value: str) -> str | None:
    """A name and, after it, an address of the web; or nothing."""
    name, _, address = value.rpartition(" ")
    if value and (not name.strip() or url(address)):
        return "must be a name and an address such as CC BY 4.0 https://creativecommons.org/licenses/by/4.0/"
    return None


def optional_prefix(value: str) -> str | None:
    """The beginning of a path, or nothing."""
    return None if re.fullmatch(r"(/[\w.-]+)+/|", value) else "must be a path such as /protected-releases/"


def database(value: str) -> str | None:
    """The address of a PostgreSQL database."""
    if not value.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        return "must be a PostgreSQL address such as postgresql://user:password@host/database"
    return None


def mail_transport(value: str) -> str | None:
    """A way for mail to leave. Older deployments name a dotted path, in which one of the words is found."""
    known = any(word in value.lower() for word in ("console", "smtp", "mailgun"))
    return None if known else f"must be console, smtp or mailgun, not {value!r}"


def mail_server(value: str) -> str | None:
    """The address of a mail server."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        # Not said: a part of the password may be in it.
        usable = False
    return None if usable else "must be an address such as smtp://localhost:25"


def log_level(value: str) -> str | None:
    """The name of a level of log lines, in any case."""
    return None if value.upper() in LEVELS else f"must be {', '.join(LEVELS[:-1])} or {LEVELS[-1]}"


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


def converted(raw: str, wanted: object) -> object:
    """The text as a value of the wanted type; ValueError says what it must be."""
    if wanted in (bool, "bool"):
        lowered = raw.lower()
        if lowered in {"1", "true", "yes", "on"}:
            return True
        if lowered in {"0", "false", "no", "off"}:
            return False
        raise ValueError(f"must be true or false, not {raw!r}")
    if wanted in (int, "int"):
        try:
            return int(raw)
        except ValueError:
            raise ValueError(f"must be a whole number, not {raw!r}") from None
    return raw
