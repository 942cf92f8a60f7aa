"""The folder of released files: whole files or none, and never anything outside it (spec: airlock 12.1, 12.23)."""

import errno
import hashlib
import io
import os
import resource
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobserver.clients.storage import (
    CHUNK,
    FileMissing,
    Received,
    ReleaseStorage,
    StorageError,
    StorageFull,
    TooLarge,
)
from tests.planting import KINDS, plant

PATH = "study-a/releases/R1/output/a.csv"


@pytest.fixture
def folder(tmp_path: Path) -> ReleaseStorage:
    return ReleaseStorage(tmp_path / "storage")


def arrive(folder: ReleaseStorage, content: bytes = b"a,b\n") -> Received:
    return folder.receive(io.BytesIO(content).read, 100)


def everything(folder: ReleaseStorage) -> list[str]:
    """All files there are, wherever they are."""
    return sorted(
        each.relative_to(folder.root).as_posix() for each in folder.root.rglob("*") if each.is_file()
    )


def test_a_file_is_received_and_then_given_its_place(folder: ReleaseStorage) -> None:
    received = arrive(folder)
    assert (received.sha256, received.size) == (hashlib.sha256(b"a,b\n").hexdigest(), 4)
    assert list(folder.paths()) == []
    assert folder.incoming() == [received.place]
    folder.keep(received, PATH)
    with folder.open(PATH) as file:
        assert file.read() == b"a,b\n"
    assert folder.digest(PATH) == (received.sha256, 4)
    assert (list(folder.paths()), folder.incoming()) == ([PATH], [])
    folder.keep(arrive(folder, b"other"), PATH)
    assert folder.digest(PATH)[1] == 5
    assert folder.has(PATH)
    for there in (True, False):
        assert folder.delete(PATH) is there
        assert everything(folder) == []
    assert not folder.has(PATH)
    assert not folder.has("nowhere/a.csv")
    assert not folder.delete("nowhere/a.csv")
    with pytest.raises(FileMissing):
        folder.open(PATH)


def test_a_file_may_be_empty_or_as_large_as_the_limit_and_no_larger(folder: ReleaseStorage) -> None:
    assert arrive(folder, b"").size == 0
    assert arrive(folder, bytes(100)).size == 100
    before = everything(folder)
    with pytest.raises(TooLarge):
        arrive(folder, bytes(101))
    assert everything(folder) == before


def test_no_more_is_read_than_shows_that_it_is_too_much(folder: ReleaseStorage) -> None:
    asked: list[int] = []

    def endless(size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    with pytest.raises(TooLarge):
        folder.receive(endless, 3 * CHUNK)
    assert asked == [CHUNK] * 4


@pytest.mark.parametrize("error", [OSError("gone"), ValueError("odd"), KeyboardInterrupt()])
def test_a_body_that_breaks_off_leaves_nothing(folder: ReleaseStorage, error: BaseException) -> None:
    parts = iter([b"first"])

    def read(_: int) -> bytes:
        for part in parts:
            return part
        raise error

    with pytest.raises(StorageError if isinstance(error, OSError) else type(error)):
        folder.receive(read, 100)
    assert everything(folder) == []


def test_what_is_forgotten_is_gone_and_what_has_its_place_stays(folder: ReleaseStorage) -> None:
    received = arrive(folder)
    folder.keep(received, PATH)
    folder.discard(received.place)
    other = arrive(folder)
    for _ in range(2):
        folder.discard(other.place)
    assert everything(folder) == [PATH]


@pytest.mark.parametrize(
    "path",
    ["", "/", "/etc/passwd", "..", "../a", "study-a/../../a", "study-a/./a", "study-a//a", "study-a/a/",
     "study-a/a\0b", "study-a\\..\\a", ".incoming/a", ".incoming"],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_none(folder: ReleaseStorage, path: str) -> None:
    received = arrive(folder)
    for use in uses_of(folder, received):
        with pytest.raises(StorageError):
            use(path)
    assert everything(folder) == [f".incoming/{received.place.name}"]


@pytest.mark.parametrize("planted", ["study-a", "study-a/releases", "study-a/releases/R1/output"])
def test_a_linked_folder_is_not_followed(folder: ReleaseStorage, tmp_path: Path, planted: str) -> None:
    """Not even where the link leads back into the storage."""
    outside = tmp_path / "outside"
    precious = outside / PATH.removeprefix(f"{planted}/")
    precious.parent.mkdir(parents=True)
    precious.write_bytes(b"precious")
    received = arrive(folder)
    link = folder.root / planted
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)
    for use in uses_of(folder, received):
        with pytest.raises(StorageError):
            use(PATH)
    assert precious.read_bytes() == b"precious"
    assert list(folder.paths()) == [planted]
    assert everything(folder) == [f".incoming/{received.place.name}"]


def uses_of(folder: ReleaseStorage, received: Received) -> list[Callable[[str], object]]:
    """All that can be done with a path."""
    return [
        folder.open,
        folder.digest,
        folder.delete,
        folder.has,
        lambda path: folder.keep(received, path),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_planted_in_place_of_a_file_is_neither_read_nor_written_nor_removed(
    folder: ReleaseStorage, tmp_path: Path, kind: str
) -> None:
    """And nobody waits for it: opening a pipe would last until somebody writes to it."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    received = arrive(folder)
    place = folder.root / PATH
    place.parent.mkdir(parents=True)
    plant(place, kind, precious)
    before = os.lstat(place)
    for use in uses_of(folder, received):
        with pytest.raises(StorageError):
            use(PATH)
    assert os.lstat(place) == before
    assert precious.read_bytes() == b"precious"
    assert received.place.exists()


def test_what_is_put_in_the_way_between_two_steps_is_not_followed(
    folder: ReleaseStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that becomes a link after it was opened: the file is still that of the folder."""
    folder.keep(arrive(folder, b"ours"), PATH)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.csv").write_bytes(b"theirs")
    parent = (folder.root / PATH).parent
    real = os.open

    def quick(path: Any, *arguments: Any, **given: Any) -> int:
        if path == "a.csv":
            parent.rename(parent.with_name("aside"))
            parent.symlink_to(outside)
        return real(path, *arguments, **given)

    monkeypatch.setattr(os, "open", quick)
    with folder.open(PATH) as file:
        assert file.read() == b"ours"
    monkeypatch.undo()
    with pytest.raises(FileMissing):
        folder.open(PATH)


def test_the_bytes_are_on_the_disk_before_they_get_their_place(
    folder: ReleaseStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a row could speak of a file of zeros after a power cut (spec: airlock 12.23)."""
    done: list[str] = []

    def noted(name: str) -> Callable[..., None]:
        real = getattr(os, name)

        def call(first: Any, *arguments: Any, **given: Any) -> None:
            is_folder = name == "fsync" and stat.S_ISDIR(os.fstat(first).st_mode)
            real(first, *arguments, **given)
            done.append(f"{name} of the folder" if is_folder else name)

        return call

    for name in ("fsync", "rename"):
        monkeypatch.setattr(os, name, noted(name))
    folder.keep(arrive(folder), PATH)
    assert (done[0], done[-2:]) == ("fsync", ["rename", "fsync of the folder"])


def test_nothing_is_received_through_a_link(folder: ReleaseStorage, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"precious")
    folder.root.mkdir()
    (folder.root / ".incoming").symlink_to(outside)
    with pytest.raises(StorageError):
        arrive(folder)
    assert folder.incoming() == []
    assert [each.name for each in outside.iterdir()] == ["precious"]


@pytest.mark.parametrize("path", ["x" * 4000, "/".join(["x" * 200] * 20), "x/" * 2500 + "x"])
def test_a_name_of_thousands_of_bytes_is_no_file(folder: ReleaseStorage, path: str) -> None:
    received = arrive(folder)
    for use in uses_of(folder, received)[:2]:
        with pytest.raises(FileMissing):
            use(path)
    if len(path.split("/")[0]) > 255:
        with pytest.raises(StorageError):
            folder.keep(received, path)


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    """As where a disk is mounted elsewhere."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    folder = ReleaseStorage(tmp_path / "link")
    folder.keep(arrive(folder), PATH)
    assert (tmp_path / "disk" / PATH).read_bytes() == b"a,b\n"


def test_a_folder_in_the_way_of_a_file_and_a_file_in_the_way_of_a_folder(folder: ReleaseStorage) -> None:
    (folder.root / PATH).mkdir(parents=True)
    (folder.root / "study-b").write_bytes(b"")
    for path in (PATH, "study-b/releases/R1/a.csv"):
        received = arrive(folder)
        with pytest.raises(StorageError):
            folder.keep(received, path)
        folder.discard(received.place)
    assert everything(folder) == ["study-b"]


def test_a_full_disk_is_told_from_other_faults_and_leaves_nothing(folder: ReleaseStorage) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(StorageFull, match=os.strerror(errno.EFBIG)):
            arrive(folder, bytes(50))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert everything(folder) == []
    arrive(folder, bytes(50))


def test_files_of_one_name_that_come_at_the_same_time_do_not_mix(folder: ReleaseStorage) -> None:
    first, second = arrive(folder, b"first"), arrive(folder, b"second")
    folder.keep(second, PATH)
    folder.keep(first, PATH)
    assert folder.digest(PATH) == (first.sha256, 5)
