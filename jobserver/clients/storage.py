"""The folder of released files: written whole or not at all, never outside it.

A file is first received under a name of its own, hashed on the way and synced to the disk, and only then
given its place. Whoever reads sees the whole file or none (spec: airlock 4.3, 12.1, 12.23).

Paths are walked folder by folder, each opened from the one before it, so that a link put in the way is not
followed, whenever that happens.
"""

import errno
import hashlib
import os
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Self

from jobserver.settings import Settings

CHUNK = 256 * 1024
# Where files are received; the names of workspaces, which are the other folders, have no dots.
INCOMING = ".incoming"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY


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
            # Not through a link.
            os.close(os.open(place.parent, _FOLDER | os.O_NOFOLLOW))
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
        """Give what was received its place, over a file that may be there. Raises :class:`StorageError`."""
        try:
            with self._folder_of(path, make=True) as (folder, name):
                _is_there(folder, name, path)
                os.rename(received.place, name, dst_dir_fd=folder)
                os.fsync(folder)
        except OSError as error:
            raise _failure("the file cannot be given its place", error) from error

    def discard(self, place: Path) -> None:
        """Forget a file that was received, if it is still there."""
        with suppress(OSError):
            place.unlink(missing_ok=True)

    def open(self, path: str) -> BufferedReader:
        """The file, for reading. Raises :class:`FileMissing`, also if something else is in its place."""
        try:
            with self._folder_of(path) as (folder, name):
                # A pipe in its place would have us wait for whoever writes to it.
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except OSError as error:
            raise FileMissing(f"{path} cannot be read: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise FileMissing(f"{path} is no file")
        return os.fdopen(descriptor, "rb")

    def digest(self, path: str) -> tuple[str, int]:
        """SHA-256 and size of the file as it is. Raises :class:`FileMissing`."""
        with self.open(path) as file:
            digest = hashlib.file_digest(file, "sha256")
            return digest.hexdigest(), file.tell()

    def delete(self, path: str) -> bool:
        """Remove the file; whether it was there.

        Raises :class:`StorageError`, also if something else is in its place, which stays.
        """
        try:
            with self._folder_of(path) as (folder, name):
                if not _is_there(folder, name, path):
                    return False
                os.unlink(name, dir_fd=folder)
                os.fsync(folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StorageError(f"{path} cannot be removed: {error.strerror}") from error
        return True

    def has(self, path: str) -> bool:
        """Whether the file is there. Raises :class:`StorageError` if something else is in its place."""
        try:
            with self._folder_of(path) as (folder, name):
                return _is_there(folder, name, path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StorageError(f"{path} cannot be looked at: {error.strerror}") from error

    def paths(self) -> Iterator[str]:
        """Every file that has a place, by path; and links, which should not be there."""
        for folder, folders, names in os.walk(self.root):
            if Path(folder) == self.root:
                folders[:] = [name for name in folders if name != INCOMING]
            folders.sort()
            links = [name for name in folders if Path(folder, name).is_symlink()]
            for name in sorted([*names, *links]):
                yield Path(folder, name).relative_to(self.root).as_posix()

    def incoming(self) -> list[Path]:
        """Files that were being received; those of a process that died stay."""
        folder = self.root / INCOMING
        return [] if folder.is_symlink() else sorted(folder.glob("*"))

    @contextmanager
    def _folder_of(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """The folder of the path, open, and the name in it; folders that are missing are made if wanted.

        Raises OSError, and :class:`FileMissing` for a path that leads out of the storage.
        """
        *folders, name = _parts(path)
        here = os.open(self.root, _FOLDER)
        try:
            for each in folders:
                if make:
                    _make_folder(here, each)
                below = os.open(each, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
                os.close(here)
                here = below
            yield here, name
        finally:
            os.close(here)


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if set(parts) & {"", ".", ".."} or "\0" in path or "\\" in path or parts[0] == INCOMING:
        raise FileMissing(f"{path!r} is no path of a released file")
    return parts


def _is_there(folder: int, name: str, path: str) -> bool:
    """Whether the folder has a file of this name. Raises :class:`FileMissing` if it is something else."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(found.st_mode):
        raise FileMissing(f"{path} is no file")
    return True


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


def _make_folder(within: int, name: str) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=within)
        os.fsync(within)
