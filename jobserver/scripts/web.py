"""The web server: waitress on a socket of its own or one that is shared with other processes."""

import ctypes
import gc
import linecache
import signal
import socket
import threading
import time
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from waitress.server import TcpWSGIServer, create_server

from jobserver.scripts.refusals import Channel
from jobserver.settings import Settings

# Airlock uploads files of up to 16 MiB, unless the settings say more.
LARGEST_BODY = 20 * 1024 * 1024
ROOM_BESIDE_A_FILE = 4 * 1024 * 1024
# Read at a time. Uploads arrive in half the time that they would take in waitress's own 8 KiB.
CHUNK = 256 * 1024
CONNECTIONS = 500
GRACE = 9.0
# From malloc.h.
_M_ARENA_MAX = -8


def inherited_socket(fd: int) -> socket.socket:
    """The listening socket that our parent opened as this file descriptor; OSError if it is none."""
    listening = socket.socket(fileno=fd)
    if not listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        listening.close()
        raise OSError(f"file descriptor {fd} is not a listening socket")
    return listening


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket of our own. Port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024)


def settle_memory() -> None:
    """Keep what was made at the start out of every later search for garbage, and threads from hoarding.

    The C library would give each thread an arena of its own, of which much stays empty for ever.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_ARENA_MAX, 1)
    # Pyramid has had the sources of all views read, to say where each was registered.
    linecache.clearcache()
    gc.collect()
    gc.freeze()


def serve(application: Any, listening: socket.socket, settings: Settings, threads: int) -> None:
    """Answer requests until SIGTERM or SIGINT; what has begun by then is finished, for up to 9 seconds."""
    settle_memory()
    server = create_server(
        application,
        sockets=[listening],
        threads=threads,
        ident=None,
        url_scheme=urlsplit(settings.base_url).scheme,
        # Which proxies are believed is decided by the application, from TRUSTED_PROXIES.
        clear_untrusted_proxy_headers=False,
        max_request_body_size=max(LARGEST_BODY, settings.release_file_size_limit + ROOM_BESIDE_A_FILE),
        recv_bytes=CHUNK,
        connection_limit=CONNECTIONS,
        asyncore_use_poll=True,
    )
    server.channel_class = Channel

    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()
        server.pull_trigger()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while not stopping.is_set():
        _once(server, timeout=1)
    _finish(server)


def _once(server: TcpWSGIServer, timeout: float) -> None:
    """Wait for whatever happens next, and deal with it."""
    server.asyncore.loop(timeout=timeout, map=server._map, use_poll=True, count=1)  # noqa: SLF001


def _finish(server: TcpWSGIServer) -> None:
    """Accept nobody any more; send the answers to requests that have arrived."""
    server.accepting = False
    server.del_channel()
    deadline = time.monotonic() + GRACE
    last_busy = time.monotonic()
    # The request of a connection accepted just now may still be on its way.
    while (now := time.monotonic()) < min(deadline, last_busy + 0.3):
        _once(server, timeout=0.05)
        if any(map(_is_busy, server.active_channels.values())):
            last_busy = now
    server.task_dispatcher.shutdown(timeout=max(0.1, deadline - time.monotonic()))


def _is_busy(channel: Any) -> bool:
    return bool(channel.requests or channel.request or channel.total_outbufs_len)
