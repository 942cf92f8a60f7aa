"""What makes time pass in the simulated backends.

Times shown are those of the real clock; only the work goes faster or slower, by ``speed``. At speed 0
nothing moves by itself: a test then has it move, through ``/control/`` (``loop``, ``step``, ``agent``).
"""

import threading
import time

from simulator.rap.scheduler import Scheduler
from simulator.store import Store

SHORTEST_PAUSE = 0.02


class Clock:
    """A thread that runs the scheduler about once in each second of the simulated backends' work."""

    def __init__(self, store: Store, scheduler: Scheduler, speed: float | None) -> None:
        self._store = store
        self._scheduler = scheduler
        self.stopping = threading.Event()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator-clock", daemon=True)
        if speed is not None:
            store.set_setting("speed", speed)
        self._speed: float = store.setting("speed", 1.0)

    @property
    def speed(self) -> float:
        """How many seconds of work pass in one second."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._store.set_setting("speed", speed)
        self._speed = speed
        self._changed.set()

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def start(self) -> None:
        """Begins to let time pass."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; work done so far is remembered."""
        self.stopping.set()
        self._changed.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        before = time.monotonic()
        while not self.stopping.is_set():
            speed, after = self._speed, time.monotonic()
            if speed:
                self._scheduler.run((after - before) * speed, self.now())
            before = after
            if self._changed.wait(max(1 / speed, SHORTEST_PAUSE) if speed else None):
                self._changed.clear()
