"""Commands about output checking."""

import click
from sqlalchemy import func, select

from jobserver.actions import output_checking
from jobserver.actions.audit import OPERATOR
from jobserver.models import Org
from jobserver.scripts.program import Program, pass_program


@click.command("set-output-checking")
@click.argument("org")
@click.option("--repo", metavar="OWNER/NAME", help="Repository on GitHub in which its requests get issues.")
@click.option("--channel", help="Slack channel that is told of its requests.")
@click.option(
    "--internal/--external", "is_internal", default=None, help="How requests of its members are labelled."
)
@click.option("--clear", is_flag=True, help="Go back to the site's own repository and channel.")
@pass_program
def set_output_checking(
    program: Program, org: str, repo: str | None, channel: str | None, is_internal: bool | None, clear: bool
) -> None:
    """Say where the output checkers of the organisation with the slug ORG are told of release requests.

    Without options it says how things stand.
    """
    if clear and (repo or channel):
        raise click.UsageError("--clear goes without --repo and --channel.")
    if clear:
        repo = channel = ""
    with program.transaction() as db:
        found = db.scalar(select(Org).where(func.lower(Org.slug) == org.strip().lower()))
        if found is None:
            raise click.ClickException(f"There is no organisation “{org}”. Its slug is asked for.")
        output_checking.configure(db, found, by=OPERATOR, repo=repo, channel=channel, is_internal=is_internal)
        lines = [
            f"Repository: {found.output_checking_repo or 'the site’s own'}",
            f"Channel: {found.output_checking_channel or 'the site’s own'}",
            f"Label: {'internal' if found.is_internal else 'external'}",
        ]
    click.echo("\n".join(lines))
