"""What of a tree of files is on the page: everything of a small set, of a large one what is open."""

from dataclasses import dataclass

from pyramid.httpexceptions import HTTPNotFound

from jobserver.queries.file_tree import Folder, Leaf, Order
from jobserver.templating.pager import page_number

# Up to so many files everything is on the page, and up to so many every folder is open.
SMALL, FEW = 400, 60
# So much of a folder is on the page at a time, if not everything is.
PIECE = 200


@dataclass(frozen=True)
class Branch:
    """A folder as shown. ``entries`` is None if they are asked for only when it is opened.

    ``piece`` of ``pieces`` of them are shown, both from 1.
    """

    folder: Folder
    is_open: bool
    entries: "list[Branch | Leaf] | None"
    piece: int = 1
    pieces: int = 1


def whole(folder: Folder, order: Order, at: str, *, all_open: bool) -> Branch:
    """Everything of the folder; open are all folders, or those that lead to the path ``at``."""
    entries = [
        entry if isinstance(entry, Leaf) else whole(entry, order, at, all_open=all_open)
        for entry in folder.entries(order)
    ]
    return Branch(folder, all_open or _leads_to(folder, at), entries)


def opened(folder: Folder, order: Order, at: str, piece: str | None) -> Branch:
    """The folder, open; of those in it only the one that leads to ``at``, and of many entries one piece.

    That is the piece on the way to ``at``; of the folder at ``at`` itself the one asked for, or the first.
    Raises HTTPNotFound if it has no such piece.
    """
    entries = folder.entries(order)
    way = next((number for number, each in enumerate(entries) if _leads_to(each, at)), None)
    number = page_number(piece, len(entries), PIECE) if way is None else way // PIECE + 1
    if number is None:
        raise HTTPNotFound
    shown: list[Branch | Leaf] = []
    for entry in entries[(number - 1) * PIECE : number * PIECE]:
        if isinstance(entry, Leaf):
            shown.append(entry)
        elif _leads_to(entry, at):
            shown.append(opened(entry, order, at, piece))
        else:
            shown.append(Branch(entry, is_open=False, entries=None))
    return Branch(folder, True, shown, number, -(-len(entries) // PIECE) or 1)


def _leads_to(entry: Folder | Leaf, at: str) -> bool:
    return at == entry.path or (isinstance(entry, Folder) and at.startswith(f"{entry.path}/"))
