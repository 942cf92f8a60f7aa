"""What went wrong with a task, in a few words that staff may read."""

import re
from dataclasses import fields

from jobserver.clients.github import GitHubError, GitHubUnavailable
from jobserver.clients.mail import MailNotSent
from jobserver.clients.rap import RapError
from jobserver.clients.slack import SlackNotSent
from jobserver.settings import MASK, Settings
from jobserver.tasks.letters import one_line
from jobserver.tasks.retrying import GiveUp, NotYet

LONGEST = 300
# Their texts are written for people; those of other errors may hold anything.
_SPOKEN = (GiveUp, NotYet, MailNotSent, SlackNotSent, GitHubError, RapError)
_PASSWORD = re.compile(r"://[^/@\s]+@")


def words_of(error: BaseException, settings: Settings) -> str:
    """One line of at most 300 characters, without any of the settings' secrets."""
    if not isinstance(error, _SPOKEN):
        return f"Something unexpected went wrong ({type(error).__name__}). The log has more."
    words = one_line(str(error))
    if isinstance(error, GitHubUnavailable) and error.reason not in words:
        words = f"{words} ({one_line(error.reason)})"
    for each in fields(settings):
        value = getattr(settings, each.name)
        if each.metadata["described"].secret and len(str(value)) >= 6:
            words = words.replace(str(value), MASK)
    words = _PASSWORD.sub(f"://{MASK}@", words)
    words = words[:1].upper() + words[1:]
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
