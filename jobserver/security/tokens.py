"""Secrets: made at random, kept as digests only, looked up by them."""

import base64
import hashlib
import secrets


def digest(secret: str) -> str:
    """SHA-256 of a random secret of full strength, for looking it up."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_backend_token() -> str:
    """40 lower-case hexadecimal digits (spec: domain 2)."""
    return secrets.token_hex(20)


def new_session_token() -> str:
    """The value of a session cookie."""
    return secrets.token_urlsafe(32)


def new_identifier() -> str:
    """A job request's public identifier: 16 characters out of a-z and 2-7 (spec: domain 2)."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()
