"""What an address asks to see of a set of files: which of them, in which order, and one that is open."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request

from jobserver.queries import file_tree
from jobserver.queries.file_tree import Folder, Leaf, Order
from jobserver.queries.viewer import SetFile
from jobserver.resources.outputs import FilePath, FilesResource
from jobserver.views.viewer import branches
from jobserver.views.viewer.addresses import Addresses
from jobserver.views.viewer.kinds import icon_of

# So many of the files that a search finds are listed.
MOST_FOUND = 200


class Look:
    """``files`` are all of the set, by their names in it; ``at`` is the file or the folder that is open.

    Raises HTTPNotFound if the set has neither a file nor a folder of that name.
    """

    def __init__(
        self, context: FilesResource | FilePath, request: Request, files: Mapping[str, SetFile]
    ) -> None:
        self.files = files
        resource = context.files if isinstance(context, FilePath) else context
        self.find: str = request.GET.get("find", "").strip()
        self.order: Order = "date" if request.GET.get("by") == "date" else "name"
        self.piece: str | None = request.GET.get("piece")
        kept = {"find": self.find, "by": "date" if self.order == "date" else ""}
        self.addresses = Addresses(request, resource, kept)
        self.root = file_tree.tree(file_tree.matching(files, self.find) if self.find else files)
        # For the few files whose names no address can have.
        self.by_id: str = "" if isinstance(context, FilePath) else request.GET.get("file", "")
        self.at = context.path if isinstance(context, FilePath) else self._path_of(self.by_id)
        self.file = files.get(self.at)
        if self.at and self.file is None and self.folder() is None:
            raise HTTPNotFound

    def _path_of(self, id_: str) -> str:
        found = next((path for path, file in self.files.items() if file.id == id_), None)
        if id_ and found is None:
            raise HTTPNotFound
        return found or ""

    def folder(self) -> Folder | None:
        """The folder at ``at``, whether a search finds anything in it or not."""
        return file_tree.folder_at(file_tree.tree(self.files) if self.find else self.root, self.at)

    def here(self, **query: str) -> str:
        """This page, with something else in its query."""
        return self.addresses.of(self.at, self.file.id if self.file else "", **query)

    def leaf_url(self, leaf: Leaf) -> str:
        """The page with this file open."""
        return self.addresses.of(leaf.path, leaf.file.id)

    def branch(self) -> branches.Branch:
        """The tree as far as it is shown."""
        if self.find:
            shown = {leaf.path: leaf.file for leaf in islice(self.root.leaves(self.order), MOST_FOUND)}
            return branches.whole(file_tree.tree(shown), self.order, self.at, all_open=True)
        if self.root.count <= branches.SMALL:
            few = self.root.count <= branches.FEW
            return branches.whole(self.root, self.order, self.at, all_open=few)
        return branches.opened(self.root, self.order, self.at, self.piece)

    def shown(self) -> dict[str, Any]:
        """What ``viewer/tree.jinja2`` and the search above it show."""
        return {
            "branch": self.branch(),
            "at": self.at,
            "find": self.find,
            "found": self.root.count,
            "most_found": MOST_FOUND,
            "order": self.order,
            "reorders": len({file.released_at for file in self.files.values()}) > 1,
            "reorder_url": self.here(by="" if self.order == "date" else "date"),
            "clear_url": self.here(find=""),
            "by_id": self.by_id,
            "search_url": self.here(find="", by="", file=""),
            "folder_url": lambda folder, **query: self.addresses.of(folder.path, **query),
            "leaf_url": self.leaf_url,
            "label_of": self._labels(),
            "icon_of": icon_of,
        }

    def _labels(self) -> Callable[[str, str], str]:
        """What folders are called: those that stand for a backend by its name."""
        backends = {file.backend: file.backend_name for path, file in self.files.items() if path != file.name}
        return lambda path, name: backends.get(path, name)
