"""What was found out about a file and is kept, since its next page will ask again."""

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class NotNow(Exception):
    """It cannot be found out at the moment: others wait for the like, or there is no room on the disk."""


class Kept(Generic[Value]):
    """The values used last, which together weigh no more than ``most``. Threads may share it.

    Values are made one at a time, so that the memory which that takes is not needed twice. Where that takes
    long, at most ``waiting`` threads are held up by it, so that others are left for everything else.
    """

    def __init__(self, most: int, weight: Callable[[Value], int], waiting: int = sys.maxsize) -> None:
        self._most, self._weight = most, weight
        self._room = threading.BoundedSemaphore(waiting)
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()
        self._making = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of the key; made now if it is not there. What ``make`` raises is not kept.

        Raises :class:`NotNow` if it would have to wait behind too many.
        """
        value = self._look(key)
        if value is not None:
            return value
        if not self._room.acquire(blocking=False):
            raise NotNow
        try:
            with self._making:
                value = self._look(key)
                if value is None:
                    value = make()
                    self._put(key, value)
        finally:
            self._room.release()
        return value

    def _look(self, key: Hashable) -> Value | None:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def _put(self, key: Hashable, value: Value) -> None:
        with self._lock:
            self._values[key] = value
            total = sum(map(self._weight, self._values.values()))
            while total > self._most:
                total -= self._weight(self._values.popitem(last=False)[1])
