"""The token with which somebody signs in to Level 4, once: three words, of which only a hash is kept.

Airlock waits while a token is compared, so the hash is a quick one. What makes it of no use to whoever reads
the database is a key that is not in the database, the site's secret key. Spec: access 4.6, 8.2; airlock 3.1.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence

WORDS = 3
SHORTEST_WORD, LONGEST_WORD = 5, 9
_SCHEME = "scrypt"
_SALT_BYTES = 16
# What is compared when there is nothing to compare with, so that this takes the same time.
_NOTHING = f"{_SCHEME}${'00' * _SALT_BYTES}${'00' * 64}"


def new_token() -> str:
    """Three words of the long list of the EFF, lower case, with single spaces: 38 bits."""
    # Only who makes a token pays for the list.
    from xkcdpass import xkcd_password  # type: ignore[import-untyped]

    words = xkcd_password.generate_wordlist(
        xkcd_password.locate_wordfile("eff-long"), min_length=SHORTEST_WORD, max_length=LONGEST_WORD
    )
    return " ".join(secrets.choice(words) for _ in range(WORDS))


def hashed(token: str, key: str) -> str:
    """What is stored of the token: ``scrypt$<salt>$<hash>``, both in hexadecimal digits."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"{_SCHEME}${salt.hex()}${_hash(token, salt, key)}"


def matches(token: str, stored: str | None, keys: Sequence[str]) -> bool:
    """Whether the stored hash is this token's, made with one of the keys.

    White space counts for nothing, upper case does. It takes equally long when there is no hash.
    """
    is_one = stored is not None and stored.startswith(f"{_SCHEME}$")
    _, salt, wanted = (stored if stored is not None and is_one else _NOTHING).split("$")
    found = [hmac.compare_digest(_hash(token, bytes.fromhex(salt), key), wanted) for key in keys]
    return is_one and any(found)


def _hash(token: str, salt: bytes, key: str) -> str:
    letters = "".join(token.split())
    peppered = hmac.digest(key.encode(), letters.encode(), "sha256")
    return hashlib.scrypt(peppered, salt=salt, n=2**11, r=8, p=1).hex()
