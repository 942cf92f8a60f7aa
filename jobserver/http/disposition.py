"""The header Content-Disposition: the name of a file that is sent to us or by us.

Airlock sends ``attachment; filename="<name>"``, the name with its folders in Latin-1 and its quotes as they
are. Spec: airlock 4.3.
"""

import re
from urllib.parse import quote, unquote_to_bytes

# The last quote ends the name, for quotes within it may stand as they are.
_QUOTED = re.compile(r'(?:^|;)\s*filename\s*=\s*"(.*)"', re.IGNORECASE | re.DOTALL)
_BARE = re.compile(r"(?:^|;)\s*filename\s*=\s*([^\s;\"][^;]*)", re.IGNORECASE)
_EXTENDED = re.compile(r"(?:^|;)\s*filename\*\s*=\s*(utf-8|iso-8859-1)'[^';]*'([^\s;\"]*)", re.IGNORECASE)
# What browsers do not all read alike within quotes; ? stands for what is not ASCII.
_AMBIGUOUS = re.compile(r"[\"%?\\]")
# The longest name that a released file can have, written as percent signs.
LONGEST = 10_000


def file_name(header: str) -> str | None:
    """The name in the header, whose bytes were read as Latin-1; None without one.

    ``filename*`` (RFC 5987) wins over ``filename``, as far as it can be read.
    """
    if len(header) > LONGEST:
        return None
    quoted = _QUOTED.search(header)
    # What is inside the quotes is a name and never another parameter.
    rest = header[: quoted.start()] + header[quoted.end() :] if quoted else header
    extended = _EXTENDED.search(rest)
    if extended:
        try:
            return unquote_to_bytes(extended[2]).decode(extended[1]) or None
        except UnicodeDecodeError:
            pass
    if quoted:
        return quoted[1].replace('\\"', '"') or None
    bare = _BARE.search(rest)
    return bare[1].strip() if bare else None


def disposition(kind: str, name: str) -> str:
    """The header for sending a file of this name: ``kind`` is ``inline`` or ``attachment``."""
    printable = "".join(each if each.isprintable() else "_" for each in name)
    plain = printable.encode("ascii", "replace").decode()
    plain = _AMBIGUOUS.sub("_", plain)
    header = f'{kind}; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(printable, safe='')}"
