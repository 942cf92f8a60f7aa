"""Other systems, one module each: a class made from settings, typed results, its own exceptions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from jobserver.clients.github import GitHubClient
from jobserver.clients.mail import Mailer
from jobserver.clients.opencodelists import OpenCodelistsClient
from jobserver.clients.rap import RapClient
from jobserver.clients.slack import SlackClient
from jobserver.clients.storage import ReleaseStorage
from jobserver.settings import Settings


@dataclass(frozen=True)
class Clients:
    """One client of each other system, shared by all threads of a process."""

    rap: RapClient
    github: GitHubClient
    opencodelists: OpenCodelistsClient
    mail: Mailer
    slack: SlackClient
    storage: ReleaseStorage
    media: ReleaseStorage

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """All clients; :class:`jobserver.settings.SettingsError` if one cannot be made."""
        return cls(
            rap=RapClient.from_settings(settings),
            github=GitHubClient.from_settings(settings),
            opencodelists=OpenCodelistsClient.from_settings(settings),
            mail=Mailer.from_settings(settings),
            slack=SlackClient.from_settings(settings),
            storage=ReleaseStorage.from_settings(settings),
            media=ReleaseStorage(Path(settings.media_storage)),
        )


def includeme(config: Any) -> None:
    """Add ``request.clients``; needs the :class:`Settings` at ``registry["settings"]``.

    Clients that are at ``registry["clients"]`` already are left there.
    """
    if "clients" not in config.registry:
        config.registry["clients"] = Clients.from_settings(config.registry["settings"])
    config.add_request_method(lambda request: request.registry["clients"], "clients", reify=True)
