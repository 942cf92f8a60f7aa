"""A storage folder that somebody has tampered with, and rows that lead out of it: never read, never a 500."""

import io
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from jobserver.clients.storage import ReleaseStorage
from tests import factories as f
from tests.planting import KINDS, plant
from tests.web.api.publishing import Study, study
from tests.web.api.releasing import Releasing, announced, body_of
from tests.web.conftest import Browser
from tests.web.uploads import leaves_files, swept

__all__ = ["swept"]

SECRET = b"precious,secret\n"


@pytest.fixture
def here(db: Session, storage: ReleaseStorage) -> Study:
    return study(storage)


def bytes_of(here: Study, file: Any, snapshot: Any) -> list[str]:
    """Every address at which the bytes of a published file are read."""
    return [
        here.address("releases", file.release_id, file.id, "raw"),
        here.address("releases", file.release_id, file.id, "download"),
        here.address("outputs", snapshot.id, file.id, "raw"),
        here.address("published", file.id),
        f"/api/v2/releases/file/{file.id}",
    ]


def pages_of(here: Study, file: Any, snapshot: Any) -> list[str]:
    """Pages that show the file, or what is known of it."""
    return [
        here.address("releases", file.release_id),
        here.address("releases", file.release_id, *file.name.split("/")),
        here.address("releases", file.release_id, file.id),
        here.address("releases", file.release_id, file.id, "delete"),
        here.address("outputs", snapshot.id),
        here.address("outputs", snapshot.id, *file.name.split("/")),
        here.address("outputs", "latest"),
    ]


def nothing_is_told(web: Browser, here: Study, file: Any, snapshot: Any) -> None:
    """Neither the bytes nor a 500, at any of the addresses; zips have what else there is."""
    web.sign_in(here.checker)
    for address in bytes_of(here, file, snapshot):
        answer = web.get(address, status="*")
        assert answer.status_int == 404, address
        assert SECRET not in answer.body
    for address in pages_of(here, file, snapshot):
        answer = web.get(address, status="*")
        assert answer.status_int in {200, 302, 303, 404}, address
        assert b"precious" not in answer.body, address
    for place in (("releases", file.release_id), ("outputs", snapshot.id), ("outputs", "latest")):
        with ZipFile(io.BytesIO(web.get(here.address(*place, "download")).body)) as found:
            read = [found.read(name) for name in found.namelist()]
        assert b"fine\n" in read
        assert SECRET not in read


@pytest.mark.parametrize("kind", ["nothing", *KINDS])
def test_what_is_planted_in_place_of_a_file_is_not_read(
    web: Browser, db: Session, here: Study, tmp_path: Path, kind: str
) -> None:
    """Nor waited for, as a pipe would have it."""
    precious = tmp_path / "precious"
    precious.write_bytes(SECRET)
    file = here.file("output/a.csv", SECRET)
    public = here.published(file, here.file("b.csv", b"fine\n"))
    place = here.storage.root / file.path
    place.unlink()
    plant(place, kind, precious)
    nothing_is_told(web, here, file, public)
    assert precious.read_bytes() == SECRET


@pytest.mark.parametrize("parts", [1, 3, 4])
def test_a_folder_that_became_a_link_is_not_followed(
    web: Browser, db: Session, here: Study, tmp_path: Path, parts: int
) -> None:
    """From the root's own child down to the folder of the file."""
    file = here.file("output/a.csv", SECRET)
    other = f.ReleaseFactory(workspace=here.workspace, created_by=here.checker)
    public = here.published(file, here.file("b.csv", b"fine\n", release=other))
    folder = here.storage.root.joinpath(*file.path.split("/")[:parts])
    outside = folder.rename(tmp_path / "outside")
    folder.symlink_to(outside)
    web.sign_in(here.checker)
    for address in bytes_of(here, file, public):
        assert SECRET not in web.get(address, status=404).body
    for address in pages_of(here, file, public):
        assert web.get(address, status="*").status_int in {200, 302, 303, 404}, address


@pytest.mark.parametrize(
    "path",
    ["../precious", "a/../../precious", "{outside}", "a//precious", "a\\..\\precious", ".incoming/precious"],
)
def test_a_row_whose_path_leads_elsewhere_is_not_followed(
    web: Browser, db: Session, here: Study, path: str
) -> None:
    """As no row of ours does; an older database may have anything."""
    file = here.file("a.csv", SECRET)
    public = here.published(file, here.file("b.csv", b"fine\n"))
    outside = here.storage.root.parent / "precious"
    (here.storage.root / ".incoming" / "precious").write_bytes(SECRET)
    outside.write_bytes(SECRET)
    try:
        file.path = path.format(outside=outside)
        db.commit()
        nothing_is_told(web, here, file, public)
        address = here.address("releases", file.release_id, file.id, "delete")
        web.submit(address, {"reason": "Because", "confirmation": "a.csv"}, status=404)
        assert outside.read_bytes() == SECRET
    finally:
        outside.unlink()


@leaves_files
@pytest.mark.usefixtures("swept")
def test_a_name_of_four_thousand_bytes_is_refused_when_announced(web: Browser, db: Session) -> None:
    airlock = Releasing(web)
    for name in ("x" * 4000, "/".join(["x" * 250] * 16), "é" * 2000):
        answer = airlock.create(body_of(announced(name)), status=400)
        assert "bytes" in json.dumps(answer.json)
    assert db.scalar(text("SELECT count(*) FROM release_file")) == 0


@pytest.mark.parametrize("name", ["x" * 4000 + ".csv", "output/" * 600 + "a.csv"])
def test_a_row_with_a_name_of_four_thousand_bytes_is_shown(
    web: Browser, db: Session, here: Study, name: str
) -> None:
    other = here.file("b.csv", b"fine\n")
    file = here.file("a.csv", SECRET)
    public = here.published(file, other)
    file.name = name
    file.path = f"{here.workspace.name}/releases/{file.release_id}/{name}"
    db.commit()
    nothing_is_told(web, here, file, public)
    shown = web.get(here.address("releases", file.release_id, file.id, "delete"), status=404)
    assert name.rpartition("/")[2] in shown.html.main.text
    index = web.get(f"/api/v2/releases/release/{file.release_id}").json["files"]
    assert {each["name"] for each in index} == {name, "b.csv"}
