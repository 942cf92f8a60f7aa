"""Handing mail and Slack messages over: what will never be taken ends the task, all else is tried again."""

from jobserver.clients.mail import MailNotSent, Message
from jobserver.clients.slack import SlackNotSent
from jobserver.rap.context import Context
from jobserver.tasks.retrying import GiveUp


def mail(context: Context, message: Message) -> None:
    """Send the mail; :class:`GiveUp` if it will never be taken."""
    try:
        context.clients.mail.send(message)
    except MailNotSent as error:
        if error.temporary:
            raise
        raise GiveUp(str(error)) from error


def post(context: Context, channel: str, words: str) -> None:
    """Post to the Slack channel; :class:`GiveUp` if Slack will never take it."""
    try:
        context.clients.slack.post(channel, words)
    except SlackNotSent as error:
        if error.temporary:
            raise
        raise GiveUp(str(error)) from error
