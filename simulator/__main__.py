"""``python -m simulator``: runs the simulated outside world until it is told to end."""

import argparse
import logging
import signal
from pathlib import Path

from pydantic import ValidationError

from simulator import config
from simulator.server import Server


def main() -> None:
    """Reads the arguments and serves."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=8001, help="port of the web services (8001)")
    parser.add_argument("--smtp-port", type=int, help="port of the mail server (the other port + 1000)")
    parser.add_argument(
        "--data-dir", type=Path, default=Path("var/simulator"), help="where the state is kept"
    )
    parser.add_argument("--config", type=Path, help="another file than the demonstration's own")
    parser.add_argument(
        "--base-url", default="", help="address that others reach it at, if not http://127.0.0.1:PORT"
    )
    parser.add_argument(
        "--speed",
        type=float,
        help="how much faster than real time jobs run; 0 stands still (as last time, else 1)",
    )
    given = parser.parse_args()
    if given.speed is not None and given.speed < 0:
        parser.error("--speed: give 0 or more")
    smtp_port = given.port + 1000 if given.smtp_port is None else given.smtp_port
    try:
        server = Server(
            config.load(given.config),
            given.data_dir,
            port=given.port,
            smtp_port=smtp_port,
            base_url=given.base_url,
            speed=given.speed,
        )
    except ValidationError as fault:
        parser.error(f"--config: {fault}")
    except OSError as fault:
        parser.error(f"ports {given.port} and {smtp_port}, data in {given.data_dir}: {fault}")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: server.stop())
    # That requests wait for each other on a busy machine is no fault to report.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    print(f"Simulator at {server.world.base_url}/, mail on port {server.world.smtp_port}", flush=True)
    server.run()


if __name__ == "__main__":
    main()
