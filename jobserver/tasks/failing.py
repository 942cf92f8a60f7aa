"""What went wrong with a task, in a few words that staff may read."""

from jobserver.clients.github import GitHubError, GitHubUnavailable
from jobserver.clients.mail import MailNotSent
from jobserver.clients.rap import RapError
from jobserver.clients.slack import SlackNotSent
from jobserver.settings import Settings, secret_values, without_secrets
from jobserver.tasks.letters import one_line
from jobserver.tasks.retrying import GiveUp, NotYet

LONGEST = 300
# Their texts are written for people; those of other errors may hold anything.
_SPOKEN = (GiveUp, NotYet, MailNotSent, SlackNotSent, GitHubError, RapError)


def words_of(error: BaseException, settings: Settings) -> str:
    """One line of at most 300 characters, without any of the settings' secrets."""
    if not isinstance(error, _SPOKEN):
        return f"Something unexpected went wrong ({type(error).__name__}). The log has more."
    words = one_line(str(error))
    if isinstance(error, GitHubUnavailable) and error.reason not in words:
        words = f"{words} ({one_line(error.reason)})"
    words = without_secrets(words, secret_values(settings))
    words = words[:1].upper() + words[1:]
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
