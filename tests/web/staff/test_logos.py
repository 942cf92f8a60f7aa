"""Logos: what is taken, what is made of it, and how it is served (spec: staff 17.3)."""

import hashlib
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, Org
from jobserver.settings import Settings
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.staff.test_orgs import ORGS, admin, edit_form, events, org, staff
from tests.web.uploads import leaves_files, swept

__all__ = ["admin", "org", "staff", "swept"]

pytestmark = [leaves_files, pytest.mark.usefixtures("swept")]
SCRIPT = b"<script>alert(1)</script>"


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20), mode: str = "RGB", **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "red" if mode != "CMYK" else None).save(out, format=kind, **more)
    return out.getvalue()


def upload(
    staff: Browser, org: Org, content: bytes, name: str = "logo.png", type_: str = "image/png", **options: Any
) -> Any:
    """Send the edit form as a browser would, with this file."""
    fields = edit_form(staff, org) | options.pop("fields", {})
    token = staff.cookies["csrftoken"].strip('"')
    return staff.post(
        f"{ORGS}{org.slug}/edit/",
        {"csrfmiddlewaretoken": token, **fields},
        upload_files=[("logo", name, content, type_)],
        **options,
    )


def shown(staff: Browser, db: Session, org: Org) -> Any:
    """The logo as it is served."""
    db.refresh(org)
    return staff.get(f"/uploads/{org.logo_file}", status=200)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "LA", "I;16"])
def test_a_png_is_taken_whatever_its_colours(staff: Browser, db: Session, org: Org, mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (40, 20)).save(out, format="PNG")
    upload(staff, org, out.getvalue(), status=303)
    assert Image.open(io.BytesIO(shown(staff, db, org).body)).size == (40, 20)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_is_taken_whatever_its_colours(staff: Browser, db: Session, org: Org, mode: str) -> None:
    upload(staff, org, picture("JPEG", mode=mode), "logo.jpg", "image/jpeg", status=303)
    assert shown(staff, db, org).content_type == "image/jpeg"


def test_it_is_shown_with_a_name_made_of_its_content_for_a_year(
    staff: Browser, web: Browser, db: Session, org: Org, settings: Settings
) -> None:
    upload(staff, org, picture(), "../../evil.html", "text/html", status=303)
    answer = shown(staff, db, org)
    assert org.logo_file == f"org_logos/{hashlib.sha256(answer.body).hexdigest()}.png"
    assert (Path(settings.media_storage) / org.logo_file).read_bytes() == answer.body
    assert answer.content_type == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert f'src="/uploads/{org.logo_file}"' in staff.get(f"{ORGS}alpha/").text
    web.reset()
    assert f'src="/uploads/{org.logo_file}"' in web.get("/alpha/").text
    web.get(f"/uploads/{org.logo_file}", status=200)
    (event,) = events(db)
    assert event.changes == {"logo_file": [None, org.logo_file]}


def test_a_large_picture_is_made_small(staff: Browser, db: Session, org: Org) -> None:
    upload(staff, org, picture(size=(3000, 1500)), status=303)
    assert Image.open(io.BytesIO(shown(staff, db, org).body)).size == (512, 256)


def test_what_a_picture_says_beside_its_pixels_is_dropped(staff: Browser, db: Session, org: Org) -> None:
    about = PngImagePlugin.PngInfo()
    about.add_text("Comment", SCRIPT.decode())
    exif = Image.Exif()
    exif[0x010E] = SCRIPT.decode()
    for content, type_ in (
        (picture(pnginfo=about, exif=exif), "png"),
        (picture("JPEG", comment=SCRIPT, exif=exif), "jpeg"),
        (picture() + SCRIPT, "png"),
        (picture("JPEG") + SCRIPT, "jpeg"),
    ):
        assert SCRIPT in content
        upload(staff, org, content, f"logo.{type_}", f"image/{type_}", status=303)
        body = shown(staff, db, org).body
        assert b"script" not in body
        found = Image.open(io.BytesIO(body))
        assert not found.getexif()
        assert "Comment" not in found.info


def test_a_photograph_stays_upright(staff: Browser, db: Session, org: Org) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upload(staff, org, picture("JPEG", exif=exif), "logo.jpg", "image/jpeg", status=303)
    assert Image.open(io.BytesIO(shown(staff, db, org).body)).size == (20, 40)


def png_of_claimed_size(width: int, height: int, data: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def png_with_text(kind: bytes, size: int) -> bytes:
    """A picture with a compressed text that becomes much larger."""
    inner = kind + b"\0\0" + zlib.compress(b"\0" * size, 9)
    check = zlib.crc32(b"zTXt" + inner)
    found = struct.pack(">I", len(inner)) + b"zTXt" + inner + struct.pack(">I", check)
    whole = picture()
    return whole[:33] + found + whole[33:]


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
BOMB = zlib.compress(b"\0" * (3 * 20_000 + 1) * 1000, 9)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (SVG, "SVG is refused because it can hold scripts."),
        (b"<html>" + SCRIPT, "cannot be read as a picture"),
        (b"\x89PNG\r\n\x1a\n" + SCRIPT, "cannot be read as a picture"),
        (b"\xff\xd8\xff\xe0" + SCRIPT, "cannot be read as a picture"),
        (b"GIF89a" + SCRIPT, "cannot be read as a picture"),
        (picture("GIF"), "cannot be read as a picture"),
        (picture("BMP"), "cannot be read as a picture"),
        (picture("TIFF"), "cannot be read as a picture"),
        (picture("WEBP"), "cannot be read as a picture"),
        (picture("PPM"), "cannot be read as a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "cannot be read as a picture"),
        (picture()[:60], "cannot be read as a picture"),
        (picture("JPEG")[:300], "cannot be read as a picture"),
        (png_of_claimed_size(40, 20), "cannot be read as a picture"),
        (png_of_claimed_size(0, 0), "cannot be read as a picture"),
        (png_of_claimed_size(2**31 - 1, 2**31 - 1), "cannot be read as a picture"),
        (png_of_claimed_size(20_000, 20_000, BOMB), "picture"),
        (png_of_claimed_size(4001, 1), "more than 4,000 pixels on a side"),
        (png_with_text(b"Comment", 100_000_000), "cannot be read as a picture"),
        (b"\0" * (1024 * 1024 + 1), "larger than 1 MiB"),
        (b"", ""),
    ],
    ids=lambda value: str(value[:12]) if isinstance(value, bytes) else "",
)
@pytest.mark.parametrize(("name", "type_"), [("logo.png", "image/png"), ("logo.svg", "image/svg+xml")])
def test_what_is_no_picture_is_refused_whatever_it_is_called(
    staff: Browser, db: Session, org: Org, content: bytes, fault: str, name: str, type_: str
) -> None:
    page = upload(staff, org, content, name, type_, fields={"description": "typed"}, status="*")
    if not content:
        assert "The file is empty." in page.text or page.status_int == 303
        return
    assert page.status_int == 200
    assert fault in page.html.select_one(".field.bad .err").text
    assert page.html.select_one("[name=description]").text.strip() == "typed"
    db.refresh(org)
    assert (org.logo_file, org.description) == (None, "")
    assert events(db) == []


def test_a_huge_file_is_refused_before_it_is_read(staff: Browser, db: Session, org: Org) -> None:
    upload(staff, org, b"\0" * 50_000_000, status=413)


def test_a_logo_is_optional_and_can_be_removed(staff: Browser, db: Session, org: Org) -> None:
    staff.submit(f"{ORGS}alpha/edit/", edit_form(staff, org) | {"description": "No logo needed."}, status=303)
    upload(staff, org, picture(), status=303)
    db.refresh(org)
    path = org.logo_file
    staff.submit(f"{ORGS}alpha/edit/", edit_form(staff, org) | {"description": "Logo stays."}, status=303)
    db.refresh(org)
    assert org.logo_file == path
    staff.submit(f"{ORGS}alpha/edit/", edit_form(staff, org) | {"remove_logo": "y"}, status=303)
    db.refresh(org)
    assert org.logo_file is None
    staff.get(f"/uploads/{path}", status=404)
    assert events(db)[-1].changes == {"logo_file": [path, None]}


def test_a_text_in_place_of_the_file_is_none(staff: Browser, db: Session, org: Org) -> None:
    sent = edit_form(staff, org) | {"logo": "org_logos/../../etc/passwd", "logo_file": "evil"}
    staff.submit(f"{ORGS}alpha/edit/", sent, status=303)
    db.refresh(org)
    assert org.logo_file is None


@pytest.mark.parametrize(
    "path",
    [
        "org_logos/",
        "org_logos/logo.png",
        "org_logos/../../jobserver.ini",
        "org_logos/%2e%2e/%2e%2e/etc/passwd",
        f"org_logos/{'a' * 64}.png",
        f"org_logos/{'a' * 64}.svg",
        f"org_logos/{'a' * 64}.png%0a",
        f"other/{'a' * 64}.png",
        "",
    ],
)
def test_nothing_but_a_logo_that_is_shown_is_served(web: Browser, db: Session, org: Org, path: str) -> None:
    web.get(f"/uploads/{path}", status=404)


def test_a_file_that_is_lost_is_a_404_and_those_of_before_are_not_shown(web: Browser, db: Session) -> None:
    lost = f.OrgFactory(logo_file=f"org_logos/{'a' * 64}.png")
    web.get(f"/uploads/{lost.logo_file}", status=404)
    old = f.OrgFactory(logo_file="org_logos/old.svg")
    web.get(f"/uploads/{old.logo_file}", status=404)
    assert "old.svg" not in web.get(f"/{old.slug}/").text


def test_who_may_not_edit_cannot_upload(web: Browser, db: Session, org: Org) -> None:
    web.sign_in(f.UserFactory(roles=["Auditor"])).get("/status/")
    token = web.cookies["csrftoken"].strip('"')
    web.post(
        f"{ORGS}alpha/edit/",
        {"csrfmiddlewaretoken": token},
        upload_files=[("logo", "a.png", picture(), "image/png")],
        status=403,
    )
    assert db.query(AuditableEvent).count() == 0
