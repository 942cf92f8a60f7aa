"""Pages of a list (spec: pages 3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True)
class Pager:
    """Page `page` of a list of `total` rows, `size` to a page; its links keep all other parameters.

    `name` is that of the parameter that says which page.
    """

    page: int
    total: int
    size: int
    parameters: Sequence[tuple[str, str]] = ()
    name: str = "page"

    @property
    def pages(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(1, -(-self.total // self.size))

    @property
    def offset(self) -> int:
        """How many rows come before this page."""
        return (self.page - 1) * self.size

    def url(self, page: int) -> str:
        """The query string of another page; the first one needs no parameter."""
        kept = [(key, value) for key, value in self.parameters if key != self.name]
        query = urlencode([*kept, (self.name, str(page))] if page > 1 else kept)
        return f"?{query}"


def asked_page(text: str | None) -> int | None:
    """The page to look up before it is known how many there are; None is the last.

    What is no number is the first one: :func:`page_number` refuses it afterwards.
    """
    if text == "last":
        return None
    return max(1, int(text)) if text and text.isascii() and text.isdigit() and len(text) < 8 else 1


def page_number(text: str | None, total: int, size: int) -> int | None:
    """Which page the parameter `page` means: a number from 1, or "last". None when there is no such page."""
    pages = max(1, -(-total // size))
    if not text:
        return 1
    if text == "last":
        return pages
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        return None
    return int(text) if 1 <= int(text) <= pages else None
