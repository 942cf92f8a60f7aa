"""Mail that leaves no further than a test."""

from dataclasses import replace

from sqlalchemy.orm import Session, sessionmaker

from jobserver.clients import Clients
from jobserver.clients.mail import Mailer, Message
from jobserver.rap.context import Context
from jobserver.settings import Settings


class Outbox:
    """A way for mail to leave, and no further."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, sender: str, message: Message) -> None:
        """Keep it."""
        self.messages.append(message)

    def context(self, settings: Settings, factory: sessionmaker[Session]) -> Context:
        """What tasks work with; their mail comes here."""
        mailer = Mailer(self, "notifications@example.org")
        return Context(settings, factory, replace(Clients.from_settings(settings), mail=mailer))
