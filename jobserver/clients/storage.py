"""The folder of released files: written whole or not at all, never outside it.

A file is first received under a name of its own, hashed on the way and synced to the disk, and only then
given its place. Whoever reads sees the whole file or none (spec: airlock 4.3, 12.1, 12.23).
"""

import errno
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Self

from jobserver.settings import Settings

CHUNK = 256 * 1024
# Where files are received; the names of workspaces, which are the other folders, have no dots.
INCOMING = ".incoming"


class StorageError(Exception):
    """The folder cannot be used: the disk is full, or is not there. The text is for operators."""


class StorageFull(StorageError):
    """There is no room for another file."""


class FileMissing(StorageError):
    """There is no file at this path."""


class TooLarge(Exception):
    """More bytes came than a file may have."""


@dataclass(frozen=True)
class Received:
    """A file that has arrived whole but has no place yet."""

    place: Path
    sha256: str
    size: int


class ReleaseStorage:
    """Released files below one folder. Paths are relative to it, with ``/`` between their parts."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The folder that the settings name."""
        return cls(Path(settings.release_storage))

    def receive(self, read: Callable[[int], bytes], limit: int) -> Received:
        """Take what ``read`` gives, at most ``limit`` bytes, in constant memory.

        Raises :class:`TooLarge`, or :class:`StorageError`; nothing is left behind then.
        """
        place = self.root / INCOMING / uuid.uuid4().hex
        digest, size = hashlib.sha256(), 0
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with place.open("xb", buffering=0) as file:
                for chunk in _up_to(limit, read):
                    size += len(chunk)
                    digest.update(chunk)
                    _write(file.fileno(), chunk)
                os.fsync(file.fileno())
        except BaseException as error:
            self.discard(place)
            if isinstance(error, OSError):
                raise _failure("the file cannot be stored", error) from error
            raise
        return Received(place, digest.hexdigest(), size)

    def keep(self, received: Received, path: str) -> None:
        """Give what was received its place, over what may be there. Raises :class:`StorageError`."""
        try:
            place = self.place(path)
            _make_folder(place.parent)
            received.place.replace(place)
            _sync_folder(place.parent)
        except OSError as error:
            raise _failure("the file cannot be given its place", error) from error

    def discard(self, place: Path) -> None:
        """Forget a file that was received, if it is still there."""
        with suppress(OSError):
            place.unlink(missing_ok=True)

    def open(self, path: str) -> BufferedReader:
        """The file, for reading. Raises :class:`FileMissing`."""
        try:
            return self.place(path).open("rb")
        except OSError as error:
            raise FileMissing(f"{path} cannot be read: {error.strerror}") from error

    def digest(self, path: str) -> tuple[str, int]:
        """SHA-256 and size of the file as it is. Raises :class:`FileMissing`."""
        with self.open(path) as file:
            digest = hashlib.file_digest(file, "sha256")
            return digest.hexdigest(), file.tell()

    def delete(self, path: str) -> None:
        """Remove the file, if it is there. Raises :class:`StorageError`."""
        try:
            self.place(path).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{path} cannot be removed: {error.strerror}") from error

    def paths(self) -> Iterator[str]:
        """Every file that has a place, by path."""
        for folder, folders, names in os.walk(self.root):
            if Path(folder) == self.root:
                folders[:] = [name for name in folders if name != INCOMING]
            folders.sort()
            for name in sorted(names):
                yield (Path(folder) / name).relative_to(self.root).as_posix()

    def incoming(self) -> list[Path]:
        """Files that were being received; those of a process that died stay."""
        return sorted((self.root / INCOMING).glob("*"))

    def place(self, path: str) -> Path:
        """Where the path is. Raises :class:`FileMissing` for one that leads out of the folder."""
        parts = path.split("/")
        if set(parts) & {"", ".", ".."} or "\0" in path or "\\" in path or parts[0] == INCOMING:
            raise FileMissing(f"{path!r} is no path of a released file")
        place = self.root.joinpath(*parts)
        # A link in the folder may lead anywhere.
        if place.resolve() != place:
            raise FileMissing(f"{path!r} leads out of its folder")
        return place


def digest_of(read: Callable[[int], bytes], limit: int) -> tuple[str, int]:
    """SHA-256 and size of what ``read`` gives, which is kept nowhere. Raises :class:`TooLarge`."""
    digest, size = hashlib.sha256(), 0
    for chunk in _up_to(limit, read):
        size += len(chunk)
        digest.update(chunk)
    return digest.hexdigest(), size


def _failure(what: str, error: OSError) -> StorageError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    return (StorageFull if full else StorageError)(f"{what}: {error.strerror}")


def _up_to(limit: int, read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(CHUNK):
        limit -= len(chunk)
        if limit < 0:
            raise TooLarge
        yield chunk


def _write(descriptor: int, chunk: bytes) -> None:
    left = memoryview(chunk)
    while left:
        left = left[os.write(descriptor, left) :]


def _make_folder(folder: Path) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in missing:
        _sync_folder(each.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
