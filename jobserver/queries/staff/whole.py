"""Lists whose rows are few, but dear to find: found all at once, which also counts them."""

from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.orm import Session

from jobserver.queries.staff.listing import MOST_EXPORTED, PAGE, Asked, Page, StaffList

Row = TypeVar("Row")


@dataclass(frozen=True)
class WholeList(StaffList[Row]):
    """Such a list. Its pages are those of any other."""

    def page(self, db: Session, asked: Asked) -> Page[Row] | None:
        """The page asked for; None if the list has no such page."""
        ids = list(db.scalars(self._ordered(asked, self.sort(asked), False).limit(MOST_EXPORTED)))
        neighbour = asked.after or asked.before
        if neighbour is not None and neighbour not in ids:
            return None
        end = len(ids)
        if asked.after is not None:
            begin = ids.index(asked.after) + 1
        elif asked.before is not None:
            end = ids.index(asked.before)
            begin = max(0, end - PAGE)
        elif asked.page == "last":
            begin = max(0, (end - 1) // PAGE * PAGE)
        else:
            begin = (int(asked.page or 1) - 1) * PAGE
        if begin > 0 and begin >= len(ids) and asked.after is None:
            return None
        end = min(end, begin + PAGE)
        return Page(self.rows(db, ids[begin:end]), ids[begin:end], len(ids), begin > 0, end < len(ids))
