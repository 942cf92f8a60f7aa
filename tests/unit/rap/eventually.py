"""Waiting for what happens in other threads and processes."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def eventually(condition: Callable[[], Any], within: float = 10) -> float:
    """Wait until the condition holds; how many seconds it took. Fails if it takes too long."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within, "it did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - began


@contextmanager
def in_background(function: Callable[..., None], *arguments: Any, **named: Any) -> Iterator[threading.Event]:
    """Run a program that ends when an event is set, which comes last among its arguments."""
    stop = threading.Event()
    thread = threading.Thread(target=function, args=(*arguments, stop), kwargs=named)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(15)
        assert not thread.is_alive()
