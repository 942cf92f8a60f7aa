"""Where to go afterwards: the one rule for every ``next`` that a browser brings (spec: access 4.3, 8.1)."""

import re
from urllib.parse import urljoin, urlsplit

# It travels in a signed cookie during sign-in, and a cookie holds 4 kB.
LONGEST = 2000

# Browsers drop control characters and white space and take \ for /, so none of them may be there at all;
# whatever else is not ASCII (or is a quotation mark) they send percent-encoded.
_OWN_PATH = re.compile(r"/(?!/)[!#-\[\]-~]*")
_HERE = "http://here.invalid"


def safe_next(wanted: object, default: str = "/") -> str:
    """The address if it can lead to a page of this site only, else the default.

    It has to be a path, perhaps with a query, that begins with exactly one ``/`` – and still does once
    dots in it are resolved.
    """
    if not isinstance(wanted, str) or len(wanted) > LONGEST or not _OWN_PATH.fullmatch(wanted):
        return default
    resolved = urlsplit(urljoin(_HERE, _plain_dots(wanted)))
    here = urlsplit(_HERE)
    if (resolved.scheme, resolved.netloc) != (here.scheme, here.netloc) or resolved.path.startswith("//"):
        return default
    return wanted


def _plain_dots(address: str) -> str:
    """Browsers take ``%2e`` for a dot when they resolve a path."""
    return re.sub("%2e", ".", address, flags=re.IGNORECASE)
