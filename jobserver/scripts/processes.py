"""The programs that supervisor keeps running, and what they are configured with."""

import threading
from collections.abc import Callable

import click

from jobserver.rap.context import Context, stop_on_signals
from jobserver.scripts.program import Program, pass_program
from jobserver.settings import masked, table


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port there.")
@click.option(
    "--fd",
    type=click.IntRange(0),
    help="Listen on this file descriptor instead, opened by the parent process.",
)
@click.option("--threads", type=click.IntRange(1), default=8, show_default=True, help="Requests at a time.")
@pass_program
def web(program: Program, host: str, port: int, fd: int | None, threads: int) -> None:
    """Answer browsers and machines. On SIGTERM requests that have begun are finished, within 10 seconds."""
    from jobserver import make_app
    from jobserver.scripts import web as server

    settings = program.settings
    try:
        listening = server.listening_socket(host, port) if fd is None else server.inherited_socket(fd)
    except OSError as error:
        raise click.ClickException(f"It is not possible to listen there: {error}") from error
    server.serve(make_app(settings), listening, settings, threads)


@click.command("rap-status-service")
@pass_program
def rap_status_service(program: Program) -> None:
    """Follow what the RAP controller runs, for ever. A second copy waits until the first has ended."""
    from jobserver.rap.service import serve

    _until_signalled(program, "jobserver-rap-status", serve)


@click.command("worker")
@pass_program
def worker(program: Program) -> None:
    """Do background tasks, for ever: submit job requests, send cancellations, mail and messages."""
    from jobserver.tasks.worker import run

    _until_signalled(program, "jobserver-worker", run)


def _until_signalled(program: Program, name: str, work: Callable[[Context, threading.Event], None]) -> None:
    stop = threading.Event()
    stop_on_signals(stop)
    work(Context.build(program.settings, application_name=name), stop)


@click.command("settings")
@pass_program
def settings(program: Program) -> None:
    """Print every setting, where its value comes from, and the value; secrets are masked."""
    loaded = program.loaded
    values = masked(loaded.settings)
    width = max(len(row.env) for row in table())
    for row in table():
        click.echo(f"{row.env:<{width}}  {loaded.sources[row.name]:<11}  {values[row.name]}".rstrip())
