"""Where the viewer shows what: the address of a set's page with one of its files or folders selected."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote, urlencode

from pyramid.request import Request
from pyramid.traversal import PATH_SAFE

from jobserver.resources.links import view_url
from jobserver.resources.outputs import FilesResource

NOTHING: Mapping[str, str] = MappingProxyType({})


class Addresses:
    """The addresses below one set of files, which keep ``query``: the search in the tree, and its order."""

    def __init__(
        self, request: Request, files: FilesResource, query: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.start = view_url(request, files)
        self._query = {name: value for name, value in query.items() if value}
        self._views = request.registry.get("files_view_names", {}).get(type(files), ())

    def of(self, path: str = "", id_: str = "", **query: str) -> str:
        """The page with the file or folder of this name selected, if any; of a file also its id.

        A name that would be taken for something else in an address is not put into it: the id is.
        """
        first = path.partition("/")[0]
        if id_ and (first in self._views or first.startswith("@@") or "/@@" in path):
            return self._with(self.start, {"file": id_, **query})
        # Not by Pyramid's own function: it would remember every name it ever saw.
        below = f"{quote(path, safe=PATH_SAFE)}/" if path else ""
        return self._with(self.start + below, query)

    def _with(self, url: str, query: Mapping[str, str]) -> str:
        every = {**self._query, **query}
        given = {name: value for name, value in every.items() if value}
        return f"{url}?{urlencode(given)}" if given else url
