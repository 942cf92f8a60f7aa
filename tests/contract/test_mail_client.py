"""Mail through a real SMTP conversation, Mailgun's API and the console."""

import email
import email.policy
import io
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import pytest
from click.testing import CliRunner

from jobserver.clients.mail import (
    ConsoleBackend,
    Mailer,
    MailgunBackend,
    MailNotSent,
    Message,
    SmtpBackend,
    Transport,
)
from jobserver.clients.transport import Limits
from jobserver.scripts import main
from jobserver.settings import Settings, SettingsError
from tests.conftest import ROOT
from tests.contract.recorded import Reply, Timed, html_reply, json_reply, refusing_url, serving

SENDER = "notifications@jobs.opensafely.org"
MESSAGE = Message(
    to="Zoë Researcher <zoe@example.org>",
    subject="succeeded: [os asthma-main] make_table – done",
    text="Größe\n.leading dot\n",
    html="<p>Größe</p>",
    reply_to="OpenSAFELY Team <team@opensafely.org>",
    bcc=("a@example.org", "b@example.org"),
)
LIMITS = Limits(connect=0.2, read=0.5)


@dataclass
class Delivery:
    sender: str
    recipients: list[str]
    data: bytes


@dataclass
class MailServer:
    """What a mail server was told; ``answers`` replaces its answer to a command."""

    url: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    delivered: list[Delivery] = field(default_factory=list)


class Conversation(socketserver.StreamRequestHandler):
    """One SMTP connection; ``state`` and ``drip`` are set on a subclass."""

    state: MailServer
    drip: float = 0

    def handle(self) -> None:
        self.sender, self.recipients = "", list[str]()
        # A client that has had enough hangs up, which is no fault of the server's.
        with suppress(ConnectionError):
            self.wfile.write(b"220 ready\r\n")
            while line := self.rfile.readline():
                command = line.decode().strip()
                self.state.commands.append(command)
                self._say(self._answer(command))
                if command.upper() == "QUIT":
                    return

    def _answer(self, command: str) -> str:
        for start, said in self.state.answers.items():
            if command.lower().startswith(start):
                return said
        if command.upper().startswith("MAIL"):
            self.sender = command.split("<")[1].split(">")[0]
        elif command.upper().startswith("RCPT"):
            self.recipients.append(command.split("<")[1].split(">")[0])
        elif command.upper() == "DATA":
            return self._take()
        return "221 bye" if command.upper() == "QUIT" else "250 ok"

    def _take(self) -> str:
        self._say("354 go on")
        data = b""
        while (part := self.rfile.readline()) != b".\r\n":
            data += part[1:] if part.startswith(b"..") else part
        said = self.state.answers.get("<data>", "250 taken")
        if said.startswith("250"):
            self.state.delivered.append(Delivery(self.sender, self.recipients, data))
        return said

    def _say(self, text: str) -> None:
        for byte in f"{text}\r\n".encode():
            self.wfile.write(bytes([byte]))
            time.sleep(self.drip)


@contextmanager
def mail_server(answers: dict[str, str] | None = None, *, drip: float = 0) -> Iterator[MailServer]:
    state = MailServer(answers={} if answers is None else answers)
    handler = type("Handler", (Conversation,), {"state": state, "drip": drip})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        state.url = f"smtp://127.0.0.1:{server.server_address[1]}"
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


def smtp(server: MailServer, limits: Limits | None = None) -> Mailer:
    return Mailer(SmtpBackend(server.url, limits=limits or Limits(connect=2, read=3)), SENDER)


def parsed(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


# SMTP


def test_a_mail_arrives_whole_at_everybody_and_keeps_the_bcc_unseen() -> None:
    with mail_server() as server:
        smtp(server).send(MESSAGE)
    (delivery,) = server.delivered
    assert delivery.sender == SENDER
    assert delivery.recipients == ["zoe@example.org", "a@example.org", "b@example.org"]
    mail = parsed(delivery.data)
    assert mail["From"] == SENDER
    assert mail["To"] == MESSAGE.to
    assert mail["Subject"] == MESSAGE.subject
    assert mail["Reply-To"] == MESSAGE.reply_to
    assert mail["Bcc"] is None
    assert b"a@example.org" not in delivery.data
    assert mail["Date"]
    assert mail["Message-ID"].endswith("@jobs.opensafely.org>")
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == MESSAGE.text
    assert html.get_content().strip() == MESSAGE.html
    assert server.commands[-1].upper() == "QUIT"


def test_a_mail_without_html_is_plain_text() -> None:
    with mail_server() as server:
        smtp(server).send(Message(to="a@example.org", subject="s", text="only text"))
    mail = parsed(server.delivered[0].data)
    assert mail.get_content_type() == "text/plain"
    assert mail["Reply-To"] is None


def test_a_mail_to_unseen_recipients_only_is_addressed_to_the_sender() -> None:
    with mail_server() as server:
        smtp(server).send(Message(to="", subject="s", text="t", bcc=("a@example.org",)))
    (delivery,) = server.delivered
    assert delivery.recipients == ["a@example.org"]
    assert parsed(delivery.data)["To"] == SENDER


@pytest.mark.parametrize(
    ("answers", "temporary"),
    [
        ({"rcpt": "550 no such user"}, False),
        ({"rcpt": "450 mailbox busy"}, True),
        ({"mail": "550 not you"}, False),
        ({"mail": "451 later"}, True),
        ({"<data>": "552 too large"}, False),
        ({"<data>": "452 disk full"}, True),
        ({"data": "554 no"}, False),
        ({"ehlo": "421 closing", "helo": "421 closing"}, True),
        ({"mail": "nonsense"}, True),
    ],
    ids=str,
)
def test_a_refusal_says_whether_trying_again_may_help(answers: dict[str, str], temporary: bool) -> None:
    with mail_server(answers) as server, pytest.raises(MailNotSent) as raised:
        smtp(server).send(Message(to="a@example.org", subject="s", text="t"))
    assert raised.value.temporary is temporary
    assert raised.value.reason
    assert server.delivered == []


def test_some_refused_recipients_do_not_make_the_others_get_it_twice() -> None:
    with mail_server({"rcpt to:<a@": "550 gone"}) as server:
        smtp(server).send(MESSAGE)
    assert server.delivered[0].recipients == ["zoe@example.org", "b@example.org"]


def test_an_odd_goodbye_does_not_undo_the_sending() -> None:
    with mail_server({"quit": "500 what"}) as server:
        smtp(server).send(MESSAGE)
    assert len(server.delivered) == 1


def test_a_mail_server_that_is_down_is_temporary() -> None:
    backend = SmtpBackend(refusing_url().replace("http", "smtp"))
    with pytest.raises(MailNotSent) as raised:
        Mailer(backend, SENDER).send(MESSAGE)
    assert raised.value.temporary


def test_a_slow_mail_server_is_given_up_in_time() -> None:
    with mail_server(drip=0.1) as server, Timed() as timed, pytest.raises(MailNotSent) as raised:
        smtp(server, LIMITS).send(MESSAGE)
    assert raised.value.temporary
    assert timed.seconds < 2


def test_credentials_are_never_sent_in_the_clear() -> None:
    with mail_server({"ehlo": "250-loopback\r\n250 AUTH PLAIN"}) as server:
        url = server.url.replace("smtp://", "smtp://user:pass%2Fword@")
        with pytest.raises(MailNotSent) as raised:
            Mailer(SmtpBackend(url), SENDER).send(MESSAGE)
    assert raised.value.temporary
    assert not [each for each in server.commands if "AUTH" in each.upper()]
    assert "word" not in repr(raised.value)


# What is refused whatever the way out


@pytest.mark.parametrize(
    "bad",
    [
        {"subject": "hello\nBcc: victim@example.org"},
        {"subject": "hello\rX: y"},
        {"subject": "a\x00b"},
        {"subject": "a\u2028b"},
        {"to": "a@example.org\r\nBcc: victim@example.org"},
        {"reply_to": "a@example.org\nX: y"},
        {"bcc": ("ok@example.org", "a@example.org\nX: y")},
        {"to": "a@example.org, victim@example.org"},
        {"to": "a@example.org; victim@example.org"},
        {"to": "nobody"},
        {"to": "@example.org"},
        {"to": "a@"},
        {"to": "<a@example.org> victim@example.org"},
        {"bcc": ("",)},
    ],
    ids=str,
)
def test_other_headers_and_other_recipients_cannot_be_slipped_in(bad: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"to": "a@example.org", "subject": "s", "text": "t"}
    stream = io.StringIO()
    with serving(json_reply({})) as mailgun, mail_server() as server:
        backends: list[Transport] = [
            SmtpBackend(server.url), MailgunBackend(mailgun.url, "key"), ConsoleBackend(stream),
        ]  # fmt: skip
        for backend in backends:
            with pytest.raises(MailNotSent) as raised:
                Mailer(backend, SENDER).send(Message(**{**fields, **bad}))
            assert not raised.value.temporary
    assert (server.commands, mailgun.asked, stream.getvalue()) == ([], [], "")


def test_a_mail_without_any_recipient_is_not_sent() -> None:
    with mail_server() as server:
        smtp(server).send(Message(to=" ", subject="s", text="t"))
    assert server.commands == []


@pytest.mark.parametrize("field_name", ["text", "subject"])
def test_text_that_cannot_be_encoded_is_refused_for_good(field_name: str) -> None:
    fields: dict[str, Any] = {"to": "a@example.org", "subject": "s", "text": "t", field_name: "half \ud800"}
    with mail_server() as server, pytest.raises(MailNotSent) as raised:
        smtp(server).send(Message(**fields))
    assert not raised.value.temporary
    assert server.delivered == []


# Mailgun


def form(body: bytes, content_type: str) -> list[tuple[str, str]]:
    mail = parsed(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    found = []
    for part in mail.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        found.append((str(name), payload.decode()))
    return found


def test_mailgun_gets_every_field_as_a_form() -> None:
    with serving(json_reply({"id": "<1>", "message": "Queued. Thank you."})) as server:
        Mailer(MailgunBackend(server.url + "/v3/mg.example.org/", "the-key"), SENDER).send(MESSAGE)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/v3/mg.example.org/messages")
    assert asked.headers["Authorization"] == "Basic YXBpOnRoZS1rZXk="
    assert asked.headers["Content-Type"].startswith("multipart/form-data; ")
    assert form(asked.body, asked.headers["Content-Type"]) == [
        ("from", SENDER),
        ("to", MESSAGE.to),
        ("subject", MESSAGE.subject),
        ("text", MESSAGE.text),
        ("html", MESSAGE.html),
        ("h:Reply-To", MESSAGE.reply_to),
        ("bcc", "a@example.org"),
        ("bcc", "b@example.org"),
    ]


@pytest.mark.parametrize(
    ("reply", "temporary"),
    [
        (json_reply({"message": "'to' parameter is not a valid address"}, 400), False),
        (json_reply({"message": "too large"}, 413), False),
        (html_reply(401), True),
        (json_reply({"message": "domain not found"}, 404), True),
        (json_reply({"message": "slow down"}, 429), True),
        (html_reply(502), True),
        (json_reply([], 500), True),
        (Reply(301, b"", {"Location": "/elsewhere"}), True),
        (Reply(hang_up=True), True),
    ],
    ids=str,
)
def test_mailguns_refusal_says_whether_trying_again_may_help(reply: Reply, temporary: bool) -> None:
    with serving(reply) as server, pytest.raises(MailNotSent) as raised:
        Mailer(MailgunBackend(server.url, "the-key"), SENDER).send(MESSAGE)
    assert raised.value.temporary is temporary
    assert len(server.asked) == 1
    assert "the-key" not in repr(raised.value)


@pytest.mark.parametrize("reply", [json_reply({}, wait=30), json_reply({"a": "b" * 30}, drip=0.2)])
def test_a_slow_mailgun_is_given_up_in_time(reply: Reply) -> None:
    with serving(reply) as server, Timed() as timed, pytest.raises(MailNotSent) as raised:
        Mailer(MailgunBackend(server.url, "the-key", limits=LIMITS), SENDER).send(MESSAGE)
    assert raised.value.temporary
    assert timed.seconds < 2


def test_mailgun_without_a_key_is_told_and_not_asked() -> None:
    with serving(json_reply({})) as server, pytest.raises(MailNotSent, match="MAILGUN_API_KEY"):
        Mailer(MailgunBackend(server.url, ""), SENDER).send(MESSAGE)
    assert server.asked == []


# Console and settings


def test_the_console_shows_the_whole_mail() -> None:
    stream = io.StringIO()
    Mailer(ConsoleBackend(stream), SENDER).send(MESSAGE)
    shown = stream.getvalue()
    for part in (SENDER, MESSAGE.to, MESSAGE.subject, MESSAGE.text, *MESSAGE.bcc, MESSAGE.reply_to):
        assert part in shown


def settings(**more: Any) -> Settings:
    return Settings(
        secret_key="x" * 32,
        database_url="postgresql://localhost/x",
        social_auth_github_key="k",
        social_auth_github_secret="s",
        **more,
    )


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        ("console", ConsoleBackend),
        ("SMTP", SmtpBackend),
        ("mailgun", MailgunBackend),
        ("anymail.backends.mailgun.EmailBackend", MailgunBackend),
        ("django.core.mail.backends.console.EmailBackend", ConsoleBackend),
        ("django.core.mail.backends.smtp.EmailBackend", SmtpBackend),
    ],
)
def test_the_way_out_is_named_by_a_word_or_an_older_dotted_path(name: str, backend: type) -> None:
    mailer = Mailer.from_settings(settings(email_backend=name, smtp_url="smtp://localhost:25"))
    assert type(mailer._backend) is backend


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"email_backend": "pigeon"}, "EMAIL_BACKEND"),
        ({"email_backend": "smtp"}, "SMTP_URL"),
        ({"email_backend": "smtp", "smtp_url": "localhost:25"}, "SMTP_URL"),
        ({"email_backend": "smtp", "smtp_url": "http://localhost"}, "SMTP_URL"),
        ({"email_backend": "smtp", "smtp_url": "smtp://localhost:port"}, "SMTP_URL"),
    ],
)
def test_a_way_out_that_cannot_be_is_a_settings_fault(more: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        Mailer.from_settings(settings(**more))


def test_an_operator_can_have_a_mail_sent() -> None:
    answers = dict[str, str]()
    with mail_server(answers) as server:
        runner = CliRunner(env={"JOBSERVER_INI": str(ROOT / "development.ini"), "SMTP_URL": server.url})
        sent = runner.invoke(main, ["send-test-email", "ann@example.org"])
        assert (sent.exit_code, sent.stdout.split(" from ")[0]) == (0, "Sent to ann@example.org"), sent.output
        assert [each.recipients for each in server.delivered] == [["ann@example.org"]]
        answers["rcpt"] = "550 nobody of that name"
        refused = runner.invoke(main, ["send_test_email", "ann@example.org"])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.endswith(
        "Error: The mail was not sent: the server refused every recipient ([550])\n"
    )
