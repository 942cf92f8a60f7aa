"""What an attacker, or a mishap, may leave where a released file should be."""

import os
import socket
from pathlib import Path

KINDS = ("link", "link to nothing", "folder", "pipe", "socket")


def plant(place: Path, kind: str, precious: Path) -> None:
    """Put something that is no file there; a link leads to ``precious``."""
    match kind:
        case "link":
            place.symlink_to(precious)
        case "link to nothing":
            place.symlink_to(place.parent / "nothing")
        case "folder":
            place.mkdir()
        case "pipe":
            os.mkfifo(place)
        case "socket":
            # The name of one may have 107 bytes at most.
            with socket.socket(socket.AF_UNIX) as made:
                here = Path.cwd()
                os.chdir(place.parent)
                made.bind(place.name)
                os.chdir(here)
