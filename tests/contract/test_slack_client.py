"""The Slack client against sound and faulty answers."""

import io

import pytest
from structlog.testing import capture_logs

from jobserver.clients.slack import SlackClient, SlackNotSent
from jobserver.clients.transport import Limits
from tests.contract.recorded import Reply, Timed, html_reply, json_reply, refusing_url, serving

TOKEN = "xoxb-slack-token"
LIMITS = Limits(connect=0.2, read=0.5)


@pytest.mark.parametrize("ending", ["/api", "/api/"])
def test_a_message_is_posted_with_the_bots_token(ending: str) -> None:
    with serving(json_reply({"ok": True, "ts": "1"})) as server:
        SlackClient(server.url + ending, TOKEN).post("job-server-applications", "<https://x|né>")
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/api/chat.postMessage")
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.json() == {"channel": "job-server-applications", "text": "<https://x|né>"}


@pytest.mark.parametrize(
    ("reply", "temporary"),
    [
        (json_reply({"ok": False, "error": "channel_not_found"}), False),
        (json_reply({"ok": False, "error": "msg_too_long"}), False),
        (json_reply({"ok": False, "error": "a_new_word"}), False),
        (json_reply({"ok": False, "error": "ratelimited"}, 429, headers={"Retry-After": "30"}), True),
        (json_reply({"ok": False, "error": "ratelimited"}), True),
        (json_reply({"ok": False, "error": "invalid_auth"}), True),
        (json_reply({"ok": False, "error": "internal_error"}), True),
        (json_reply({"ok": False}), True),
        (json_reply({"ok": "true"}), True),
        (json_reply({"ok": True}, 500), True),
        (json_reply({}), True),
        (json_reply([]), True),
        (html_reply(502), True),
        (html_reply(200), True),
        (Reply(200), True),
        (Reply(200, b'{"ok": tr'), True),
        (json_reply({"ok": True}, cut=5), True),
        (Reply(hang_up=True), True),
        (Reply(301, b"", {"Location": "/elsewhere"}), True),
    ],
    ids=lambda value: f"{value.status}-{value.body.decode()[:40]}" if isinstance(value, Reply) else None,
)
def test_a_refusal_says_whether_trying_again_may_help(reply: Reply, temporary: bool) -> None:
    with serving(reply) as server, pytest.raises(SlackNotSent) as raised:
        SlackClient(server.url, TOKEN).post("channel", "text")
    assert raised.value.temporary is temporary
    assert raised.value.reason
    assert len(server.asked) == 1
    assert TOKEN not in repr(raised.value)


def test_slacks_own_word_is_in_the_reason() -> None:
    reply = json_reply({"ok": False, "error": "not_in_channel"})
    with serving(reply) as server, pytest.raises(SlackNotSent, match="not_in_channel"):
        SlackClient(server.url, TOKEN).post("channel", "text")


def test_slack_being_down_is_temporary() -> None:
    with pytest.raises(SlackNotSent) as raised:
        SlackClient(refusing_url(), TOKEN).post("channel", "text")
    assert raised.value.temporary


@pytest.mark.parametrize("reply", [json_reply({"ok": True}, wait=30), json_reply({"ok": True}, drip=0.2)])
def test_a_slow_slack_is_given_up_in_time(reply: Reply) -> None:
    with serving(reply) as server, Timed() as timed, pytest.raises(SlackNotSent) as raised:
        SlackClient(server.url, TOKEN, limits=LIMITS).post("channel", "text")
    assert raised.value.temporary
    assert timed.seconds < 2


@pytest.mark.parametrize(("token", "channel"), [("", "channel"), (TOKEN, "")])
def test_without_token_or_channel_slack_is_off_and_the_log_says_so(token: str, channel: str) -> None:
    with serving(json_reply({"ok": True})) as server, capture_logs() as logs:
        SlackClient(server.url, token).post(channel, "text")
    assert server.asked == []
    assert [(each["event"], each["channel"]) for each in logs] == [("slack_off", channel)]


def test_in_debug_messages_are_printed_if_there_is_no_token() -> None:
    stream = io.StringIO()
    with serving(json_reply({"ok": True})) as server:
        SlackClient(server.url, "", debug=True, stream=stream).post("channel", "hello")
    assert server.asked == []
    assert stream.getvalue() == "Slack #channel: hello\n"


def test_a_token_no_header_can_carry_is_not_sent_and_not_shown() -> None:
    with serving(json_reply({"ok": True})) as server, pytest.raises(SlackNotSent) as raised:
        SlackClient(server.url, "xoxb\nsecret").post("channel", "text")
    assert server.asked == []
    assert "secret" not in repr(raised.value)
