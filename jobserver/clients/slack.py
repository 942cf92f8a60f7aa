"""Slack: posts to channels. Called by the worker, never inside a request."""

import sys
from typing import Self, TextIO

import structlog

from jobserver.clients import transport
from jobserver.clients.transport import Limits, NoAnswer, NotJson
from jobserver.settings import Settings

log = structlog.get_logger(__name__)

LIMITS = Limits(connect=5, read=10)

# Slack's words for what may pass, or what an operator can mend without the message changing.
_WORTH_RETRYING = frozenset(
    {
        "account_inactive", "fatal_error", "internal_error", "invalid_auth", "missing_scope", "not_authed",
        "rate_limited", "ratelimited", "request_timeout", "service_unavailable", "team_added_to_org",
        "token_expired", "token_revoked",
    }
)  # fmt: skip


class SlackNotSent(Exception):
    """The message was not posted; ``temporary`` says whether trying again may help."""

    def __init__(self, reason: str, *, temporary: bool) -> None:
        self.reason = reason
        self.temporary = temporary
        super().__init__(f"Slack did not take the message: {reason}")


class SlackClient:
    """Posts as one bot. Without a token Slack is off; in debug messages are printed then."""

    def __init__(
        self,
        api_url: str,
        token: str,
        *,
        debug: bool = False,
        limits: Limits = LIMITS,
        stream: TextIO | None = None,
    ) -> None:
        self._url = api_url.rstrip("/") + "/chat.postMessage"
        self._token = token
        self._debug = debug
        self._stream = stream
        self._session = transport.limited_session(limits)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The bot that the settings name."""
        return cls(settings.slack_api_url, settings.slack_bot_token, debug=settings.debug)

    def post(self, channel: str, text: str) -> None:
        """Post Slack markup to a channel, or raise :class:`SlackNotSent`."""
        if self._debug and not self._token:
            stream = self._stream or sys.stdout
            stream.write(f"Slack #{channel}: {text}\n")
            return
        if not self._token or not channel:
            log.info("slack_off", channel=channel)
            return
        if not transport.fits_header(self._token):
            raise SlackNotSent("SLACK_BOT_TOKEN has characters that cannot be sent", temporary=True)
        try:
            answer = transport.exchange(
                self._session,
                "POST",
                self._url,
                headers={"Authorization": f"Bearer {self._token}"},
                json={"channel": channel, "text": text},
            )
            fields = answer.fields()
        except NoAnswer as error:
            raise SlackNotSent(error.reason, temporary=True) from error
        except NotJson as error:
            raise SlackNotSent(
                f"the answer has status {answer.status} but is not JSON", temporary=True
            ) from error
        if answer.status == 200 and fields.get("ok") is True:
            return
        word = fields.get("error")
        temporary = answer.status != 200 or not isinstance(word, str) or word in _WORTH_RETRYING
        raise SlackNotSent(f"{word or 'no reason given'} (status {answer.status})", temporary=temporary)
