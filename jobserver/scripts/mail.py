"""Commands about mail."""

import click

from jobserver.clients.mail import Mailer, MailNotSent, Message
from jobserver.scripts.program import Program, pass_program


@click.command("send-test-email")
@click.argument("address")
@pass_program
def send_test_email(program: Program, address: str) -> None:
    """Send a mail to ADDRESS at once, by the way that the settings name, to see whether it arrives."""
    settings = program.settings
    text = f"Mail from {settings.base_url} arrives. Nothing is to be done.\n"
    message = Message(to=address, subject="Test mail from Job server", text=text)
    try:
        Mailer.from_settings(settings).send(message)
    except MailNotSent as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"Sent to {address} from {settings.email_from} ({settings.email_backend}).")
