"""What the files of a set are called within it: in the tree of the viewer, in addresses, in a zip."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol


class Named(Protocol):
    """A released file; ``backend`` is the backend's slug."""

    @property
    def name(self) -> str:
        """Its name in its release."""

    @property
    def backend(self) -> str:
        """Where it came from."""

    @property
    def release_id(self) -> str:
        """Its release."""


def names_in_set(files: Sequence[Named]) -> list[str]:
    """Each file's name: its own, below its backend if there are several (spec: airlock 12.31).

    Where two would have one name, or one would be the folder of another, their releases tell them apart.
    """
    has_several = len({file.backend for file in files}) > 1
    names = [f"{file.backend}/{file.name}" if has_several else file.name for file in files]
    times = Counter(names)
    folders: set[str] = set()
    for name in names:
        while (name := name.rpartition("/")[0]) and name not in folders:
            folders.add(name)
    return [
        f"{file.release_id}/{name}" if times[name] > 1 or name in folders else name
        for file, name in zip(files, names, strict=True)
    ]
