"""Commands about bots."""

import click

from jobserver.actions import bots
from jobserver.actions.audit import OPERATOR
from jobserver.actions.naming import Taken
from jobserver.scripts.program import Program, pass_program, user_named


@click.command("create-bot")
@click.argument("username")
@click.option("--name", default="", help="Full name of a new bot (made from the username).")
@click.option("--rotate", is_flag=True, help="Give an existing bot a new token in place of the one it has.")
@pass_program
def create_bot(program: Program, username: str, name: str, rotate: bool) -> None:
    """Create a user for a program, with a personal token.

    The token is printed once, as USERNAME:TOKEN, which is how it is sent in the header Authorization. It is
    good for 90 days, and opens the released files that the bot may see by roles of its own.
    """
    with program.transaction() as db:
        if rotate:
            bot = user_named(db, username)
            token = bots.rotate(db, bot, by=OPERATOR)
        else:
            try:
                bot, token = bots.create(db, username=username, fullname=name, by=OPERATOR)
            except Taken as clash:
                raise click.ClickException(f"{clash} Or add --rotate for a new token of that bot.") from clash
    click.echo(f"{bot.username}:{token}")
