"""A logo that somebody uploads, made anew from its pixels alone (spec: staff 17.3).

What the file says of itself is not believed: it is read as PNG or JPEG and written again, so that whatever
else was in it (text, scripts, positions, thumbnails) is gone. SVG is a program and not a picture: refused.
"""

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from PIL import Image

MOST_BYTES = 1024 * 1024
# More pixels than this on a side are no logo, and would cost memory: 4 bytes each.
MOST_PIXELS = 4000
# A logo is shown small.
SIDE = 512
FOLDER = "org_logos"
NAMES = {"PNG": "png", "JPEG": "jpg"}
KINDS = "Use a PNG or JPEG file. SVG is refused because it can hold scripts."


class NoLogo(Exception):
    """The file will not do; the text is for the person who sent it."""


@dataclass(frozen=True)
class Logo:
    """A clean picture and the path it is stored at, which is made from its content."""

    path: str
    content: bytes


def read(file: BinaryIO) -> Logo:
    """The picture in the file. Raises :class:`NoLogo`."""
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise NoLogo("The file is larger than 1 MiB. Make it smaller: 512 pixels a side are enough.")
    if not data:
        raise NoLogo("The file is empty.")
    kind, content = _redrawn(data)
    return Logo(f"{FOLDER}/{hashlib.sha256(content).hexdigest()}.{NAMES[kind]}", content)


def _redrawn(data: bytes) -> tuple[str, bytes]:
    # Loaded with the first logo: most processes never meet one.
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=[*NAMES]) as image:
            # Only its head was read so far: a small file may claim to be a huge picture.
            _check_size(image)
            kind = str(image.format)
            image.load()
            return kind, _written(image, kind)
    except NoLogo:
        raise
    # A broken file fails in whatever way the decoder happens to: it is the file's fault all the same.
    except Exception as error:
        raise NoLogo(f"The file cannot be read as a picture. {KINDS}") from error


def _check_size(image: "Image.Image") -> None:
    if max(image.size) > MOST_PIXELS:
        raise NoLogo(f"The picture has more than {MOST_PIXELS:,} pixels on a side.")


def _written(image: "Image.Image", kind: str) -> bytes:
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(image).convert("RGBA" if kind == "PNG" else "RGB")
    upright.thumbnail((SIDE, SIDE))
    # Pixels only: a new picture knows nothing of the old one.
    clean = Image.new(upright.mode, upright.size)
    clean.paste(upright)
    out = io.BytesIO()
    clean.save(out, format=kind, optimize=True)
    return out.getvalue()
