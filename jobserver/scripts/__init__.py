"""The ``jobserver`` command: what operators, other repositories' scripts and supervisor call.

Spec: operations 1. Exit status 0 on success, 2 for wrong arguments, 1 for a refusal (one line
on stderr) or an error.
"""

import importlib
from typing import Any

import click
from sqlalchemy.exc import OperationalError

from jobserver.actions.naming import Refused
from jobserver.scripts.program import Program
from jobserver.settings import SettingsError

# Which module of this package has which commands; a module is imported when one of them is asked for.
MODULES = {
    "bots": ("create-bot",),
    "database": ("migrate", "make-migration", "count-rows", "clear-sessions", "load-demonstration", "shell"),
    "inflating": ("inflate-release-files",),
    "mail": ("send-test-email",),
    "operations": ("announce", "cancel-all", "pause-backend", "resume-backend"),
    "output_checking": ("set-output-checking",),
    "people": ("create-user", "disable-user", "enable-user", "create-org"),
    "processes": ("web", "worker", "rap-status-service", "settings"),
    "publication": ("publish-files", "remove-files-from-publish-request", "unpublish-snapshot"),
    "rap": ("create-rap", "cancel-jobs", "rap-status", "rap-update-backend-status"),
    "releases": ("releases", "release"),
    "sample": ("load-sample",),
    "studies": ("create-backend", "create-workspace", "delete-project"),
}
_HOMES = {command: module for module, commands in MODULES.items() for command in commands}


class Commands(click.Group):
    """The commands by name, with hyphens or underscores, and known refusals as one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All names, in order."""
        return sorted(_HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name; None if there is none."""
        name = cmd_name.replace("_", "-")
        if name not in _HOMES:
            return None
        module = importlib.import_module(f"jobserver.scripts.{_HOMES[name]}")
        command: click.Command = getattr(module, name.replace("-", "_"))
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever it knows to refuse leaves as one line and exit status 1."""
        try:
            return super().invoke(ctx)
        except (Refused, SettingsError) as refusal:
            raise click.ClickException(str(refusal)) from refusal
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0] if error.orig else "no reason given"
            raise click.ClickException(f"The database cannot be used: {reason}") from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-c",
    "--config",
    metavar="FILE.ini",
    envvar="JOBSERVER_INI",
    default="development.ini",
    show_default=True,
    help="Settings file; variables of the environment win over it. Also taken from JOBSERVER_INI.",
)
@click.pass_context
def main(ctx: click.Context, config: str) -> None:
    """Operate Job Server. Names may be written with hyphens or underscores."""
    ctx.obj = Program(config)
    ctx.call_on_close(ctx.obj.close)
