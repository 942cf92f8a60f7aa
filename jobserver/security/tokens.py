"""Secrets: made at random, kept as digests only, looked up by them."""

import base64
import hashlib
import secrets
import time
from datetime import date


def digest(secret: str) -> str:
    """SHA-256 of a random secret of full strength, for looking it up."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_backend_token() -> str:
    """40 lower-case hexadecimal digits (spec: domain 2)."""
    return secrets.token_hex(20)


def new_personal_token(last_day: date) -> str:
    """64 hexadecimal digits and the last day on which it is good (spec: domain 2)."""
    return f"{secrets.token_hex(32)}-{last_day.isoformat()}"


def new_session_token() -> str:
    """The value of a session cookie."""
    return secrets.token_urlsafe(32)


def new_identifier() -> str:
    """A job request's public identifier: 16 characters out of a-z and 2-7 (spec: domain 2)."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()


# Crockford's base 32: no I, L, O and U.
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_ulid() -> str:
    """An id of 26 characters that sorts by the time of its making (spec: domain 2)."""
    number = time.time_ns() // 1_000_000 << 80 | secrets.randbits(80)
    return "".join(_DIGITS[number >> shift & 31] for shift in range(125, -1, -5))
