"""Mail: one message at a time, by console, SMTP or Mailgun. Called by the worker, never inside a request."""

import email.policy
import re
import smtplib
import ssl
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, getaddresses, make_msgid, parseaddr
from typing import Protocol, Self, TextIO
from urllib.parse import unquote, urlsplit

import structlog

from jobserver.clients import transport
from jobserver.clients.transport import Answer, Deadline, Limits, NoAnswer, NotJson
from jobserver.setting import mail_server, mail_transport
from jobserver.settings import Settings, SettingsError

log = structlog.get_logger(__name__)

LIMITS = Limits(connect=5, read=20)

# What could begin another header.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, kw_only=True)
class Message:
    """A mail to one person; ``bcc`` gets it unseen. ``html`` is the same as ``text``, laid out."""

    to: str
    subject: str
    text: str
    html: str = ""
    reply_to: str = ""
    bcc: tuple[str, ...] = ()


class MailNotSent(Exception):
    """The mail did not leave.

    ``temporary`` says whether trying again may help: yes for outages and what operators can mend,
    no for a message that will never be taken. ``reason`` is for operators.
    """

    def __init__(self, reason: str, *, temporary: bool) -> None:
        self.reason = reason
        self.temporary = temporary
        super().__init__(f"The mail was not sent: {reason}")


class Transport(Protocol):
    """A way for mail to leave."""

    def send(self, sender: str, message: Message) -> None:
        """Send it or raise :class:`MailNotSent`."""


class Mailer:
    """Checks messages and hands them to the configured way out. Threads may share it."""

    def __init__(self, backend: Transport, sender: str) -> None:
        self._backend = backend
        self._sender = sender

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The way out that EMAIL_BACKEND names; :class:`SettingsError` if it names none."""
        return cls(_backend(settings), settings.email_from)

    def send(self, message: Message) -> None:
        """Send the message, or raise :class:`MailNotSent`. Without any recipient nothing is sent."""
        if not message.to.strip() and not message.bcc:
            log.info("mail_without_recipient")
            return
        _check(message)
        self._backend.send(self._sender, message)


def _backend(settings: Settings) -> Transport:
    name = settings.email_backend.lower()
    if "mailgun" in name:
        return MailgunBackend(settings.mailgun_api_url, settings.mailgun_api_key)
    if "smtp" in name:
        return SmtpBackend(settings.smtp_url)
    if "console" in name:
        return ConsoleBackend()
    raise SettingsError([f"EMAIL_BACKEND {mail_transport(name)}."])


def _check(message: Message) -> None:
    optional = [each for each in (message.to, message.reply_to) if each.strip()]
    addresses = [*optional, *message.bcc]
    for value in [*addresses, message.subject]:
        if _CONTROL.search(value):
            raise MailNotSent("an address or the subject holds a line break or the like", temporary=False)
    for address in addresses:
        found = getaddresses([address])
        local, _, domain = found[0][1].rpartition("@") if len(found) == 1 else ("", "", "")
        if not local or not domain:
            raise MailNotSent("a recipient or Reply-To is not one email address", temporary=False)


class ConsoleBackend:
    """Prints mail instead of sending it."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, sender: str, message: Message) -> None:
        """Print the message."""
        stream = self._stream or sys.stdout
        lines = [f"From: {sender}", f"To: {message.to}"]
        if message.bcc:
            lines.append(f"Bcc: {', '.join(message.bcc)}")
        if message.reply_to:
            lines.append(f"Reply-To: {message.reply_to}")
        stream.write("\n".join([*lines, f"Subject: {message.subject}", "", message.text, "-" * 72, ""]))
        stream.flush()


class SmtpBackend:
    """Sends through a mail server: ``smtp://host:port``, or ``smtps://`` for TLS from the first byte.

    With a user and password in the address the connection is encrypted before they are sent.
    """

    def __init__(self, url: str, *, limits: Limits = LIMITS) -> None:
        fault = mail_server(url)
        if fault:
            raise SettingsError([f"SMTP_URL {fault}."])
        parts = urlsplit(url)
        self._secure = parts.scheme == "smtps"
        self._host = parts.hostname or ""
        self._port = parts.port or (465 if self._secure else 25)
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._limits = limits

    def send(self, sender: str, message: Message) -> None:
        """Hand the message to the server."""
        recipients = [parseaddr(each)[1] for each in (message.to, *message.bcc) if each.strip()]
        try:
            with Deadline(self._limits.total) as deadline:
                server = self._connect(deadline)
                try:
                    mail = _compose(sender, message)
                    refused = server.send_message(mail, parseaddr(sender)[1], recipients)
                finally:
                    # An odd goodbye does not mean that the mail was not taken.
                    with suppress(smtplib.SMTPException, OSError):
                        server.quit()
                    server.close()
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise MailNotSent(
                f"the server refused every recipient ({codes})", temporary=any(code < 500 for code in codes)
            ) from error
        except smtplib.SMTPAuthenticationError:
            raise MailNotSent("the server refuses the credentials of SMTP_URL", temporary=True) from None
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise MailNotSent(
                f"the server answered {error.smtp_code}", temporary=error.smtp_code < 500
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise MailNotSent(
                f"no usable answer from the server ({type(error).__name__})", temporary=True
            ) from error
        except ValueError as error:
            raise MailNotSent(f"it cannot be written as mail ({error})", temporary=False) from error
        if refused:
            # The others have it; sending again would give it to them twice.
            log.warning("mail_refused_for_some", number=len(refused))

    def _connect(self, deadline: Deadline) -> smtplib.SMTP:
        if self._secure:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=self._limits.read, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._limits.read)
        try:
            deadline.attach(server.sock)
            if self._user:
                if not self._secure:
                    server.starttls(context=ssl.create_default_context())
                    deadline.attach(server.sock)
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server


def _compose(sender: str, message: Message) -> EmailMessage:
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"] = sender
    # Nobody but the unseen recipients gets such a mail, so it is addressed to ourselves.
    mail["To"] = message.to if message.to.strip() else sender
    mail["Subject"] = message.subject
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2] or "localhost")
    if message.reply_to:
        mail["Reply-To"] = message.reply_to
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    return mail


class MailgunBackend:
    """Sends through Mailgun's HTTP API, whose address ends in the sending domain."""

    def __init__(self, api_url: str, api_key: str, *, limits: Limits = LIMITS) -> None:
        self._url = api_url.rstrip("/") + "/messages"
        self._key = api_key
        self._session = transport.limited_session(limits)

    def send(self, sender: str, message: Message) -> None:
        """Hand the message to Mailgun."""
        if not self._key:
            raise MailNotSent("MAILGUN_API_KEY is not set", temporary=True)
        try:
            answer = transport.exchange(
                self._session,
                "POST",
                self._url,
                files=[(name, (None, value)) for name, value in _form(sender, message)],
                auth=("api", self._key),
            )
        except NoAnswer as error:
            raise MailNotSent(error.reason, temporary=True) from error
        if 200 <= answer.status < 300:
            return
        # Everything but a complaint about this very message may pass or be mended.
        raise MailNotSent(
            f"Mailgun answered {answer.status}: {_complaint(answer)}",
            temporary=answer.status not in {400, 413, 422},
        )


def _form(sender: str, message: Message) -> Iterable[tuple[str, str]]:
    yield "from", sender
    yield "to", message.to if message.to.strip() else sender
    yield "subject", message.subject
    yield "text", message.text
    if message.html:
        yield "html", message.html
    if message.reply_to:
        yield "h:Reply-To", message.reply_to
    for address in message.bcc:
        yield "bcc", address


def _complaint(answer: Answer) -> str:
    try:
        return str(answer.fields().get("message", "no reason given"))[:200]
    except NotJson:
        return "no reason given"
