"""The RAP status service: round after round while it lives; of several, one is active (spec: rap 4)."""

import threading
import time
from dataclasses import dataclass

import structlog

from jobserver.models import utcnow
from jobserver.queries import active_requests
from jobserver.rap import backends
from jobserver.rap.context import Context
from jobserver.rap.leader import Leadership, leadership
from jobserver.rap.round import repeat_what_failed, run_round

log = structlog.get_logger(__name__)

# Seconds that a round in hand gets to end once we are told to stop. A call cut off is repeated.
LAST_ROUND = 7.0
BACKENDS_EVERY = 60.0
DUE_PAUSE = 5.0


@dataclass(frozen=True)
class Pauses:
    """Seconds: between rounds at least, after a failure at first, and after failures at most."""

    shortest: float = 1.0
    first: float = 2.0
    longest: float = 300.0

    def after(self, failures: int) -> float:
        """The pause after so many failures in a row: each twice the one before."""
        return min(self.first * 2.0 ** (failures - 1), self.longest)


def serve(context: Context, stop: threading.Event, *, pauses: Pauses | None = None) -> None:
    """Follow the controller until ``stop`` is set; returns within 10 seconds then.

    The loop has a thread of its own, which dies with the process: whatever call it is in, it loses nothing.
    """
    service = _Service(context, stop, pauses or Pauses())
    thread = threading.Thread(target=service.run, name="rap-status-service", daemon=True)
    thread.start()
    while not stop.is_set():
        thread.join(0.2)
        if not thread.is_alive() and not stop.is_set():
            raise RuntimeError("the status service ended by itself")
    thread.join(LAST_ROUND)
    log.info("rap_service_stopped", in_time=not thread.is_alive())


class _Service:
    def __init__(self, context: Context, stop: threading.Event, pauses: Pauses) -> None:
        self._context = context
        self._stop = stop
        self._pauses = pauses
        self._failures = 0
        self._backend_failures = 0
        self._backends_at = 0.0

    def run(self) -> None:
        """Be active, or wait to be, until told to stop; a lost database is waited for."""
        lost = 0
        while not self._stop.is_set():
            try:
                with leadership(self._context.engine, self._stop) as leader:
                    lost = 0
                    if leader is not None:
                        self._lead(leader)
            except Exception:
                lost += 1
                log.exception("rap_service_lost_the_database", times=lost)
                self._stop.wait(min(self._pauses.after(lost), 10))

    def _lead(self, leader: Leadership) -> None:
        while not self._stop.is_set():
            leader.check()
            began = time.monotonic()
            try:
                reached = self._turn()
            except Exception:
                log.exception("rap_round_failed")
                reached = False
            if reached is not None:
                self._failures = 0 if reached else self._failures + 1
            if leader.wait(self._pause(), self._stop):
                leader.wait(self._pauses.shortest - (time.monotonic() - began), self._stop)

    def _turn(self) -> bool | None:
        """One round; whether the controller answered, None if there was nothing to ask it."""
        report = run_round(self._context)
        reached = not report.failure if report.asked else None
        if report.failure:
            backends.note_failure(self._context, report.failure)
        if time.monotonic() >= self._backends_at:
            answered = self._refresh_backends()
            reached = answered if reached is None else reached
        if reached is not False and not self._stop.is_set():
            repeat_what_failed(self._context, at_once=reached is True and self._failures > 0)
        return reached

    def _refresh_backends(self) -> bool:
        answered = not backends.refresh(self._context).failure
        self._backend_failures = 0 if answered else self._backend_failures + 1
        pause = (
            BACKENDS_EVERY if answered else min(self._pauses.after(self._backend_failures), BACKENDS_EVERY)
        )
        self._backends_at = time.monotonic() + pause
        return answered

    def _pause(self) -> float:
        """Seconds until the next round, if nobody calls for one."""
        if self._failures:
            return self._pauses.after(self._failures)
        pause = min(float(self._context.settings.rap_api_poll_interval), self._backends_at - time.monotonic())
        now = utcnow()
        with self._context.transaction() as db:
            due = active_requests.next_submission(db, now)
        if due is not None:
            # What is due but was not sent just now is in other hands, or waits for its turn.
            pause = min(pause, max((due - now).total_seconds(), DUE_PAUSE))
        return max(pause, self._pauses.shortest)
