"""The status service and the worker as processes of their own, for tests that kill them.

``python -m tests.unit.rap.programs service '{"database_url": …}'``
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from jobserver.rap.context import Context, stop_on_signals
from jobserver.rap.service import serve
from jobserver.settings import Settings
from jobserver.tasks import worker


@contextmanager
def running(program: str, settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """The program in a process; killed at the end if it still runs."""
    arguments = [sys.executable, "-m", __name__, program, json.dumps(asdict(settings))]
    root = Path(__file__).parent.parent.parent.parent
    process = subprocess.Popen(arguments, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def main() -> None:
    program, values = sys.argv[1], json.loads(sys.argv[2])
    stop = threading.Event()
    stop_on_signals(stop)
    run = {"service": serve, "worker": worker.run}[program]
    run(Context.build(Settings(**values), application_name=f"test-{program}"), stop)


if __name__ == "__main__":
    main()
