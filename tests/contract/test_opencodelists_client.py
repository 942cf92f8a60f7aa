"""The OpenCodelists client against sound and faulty answers."""

from urllib.parse import parse_qs

import pytest

from jobserver.clients.opencodelists import CodelistsStatus, OpenCodelistsClient, OpenCodelistsUnavailable
from jobserver.clients.transport import Limits
from tests.contract.recorded import Reply, Timed, html_reply, json_reply, refusing_url, serving

LIMITS = Limits(connect=0.2, read=0.5)


@pytest.mark.parametrize("ending", ["", "/"])
def test_both_files_are_sent_as_form_fields(ending: str) -> None:
    with serving(json_reply({"status": "ok"})) as server:
        OpenCodelistsClient(server.url + ending).check("org/list/1\nü&=", '{"files": {}}')
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/api/v1/check/")
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in asked.headers
    assert parse_qs(asked.body.decode()) == {
        "codelists": ["org/list/1\nü&="],
        "manifest": ['{"files": {}}'],
    }


def test_empty_files_are_sent_too() -> None:
    with serving(json_reply({"status": "ok"})) as server:
        OpenCodelistsClient(server.url).check("", "")
    assert server.asked[0].body == b"codelists=&manifest="


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "ok"}, CodelistsStatus.OK),
        ({"status": "ok", "data": {"new": 1}}, CodelistsStatus.OK),
        ({"status": "error", "data": {"changed": ["a.csv"]}}, CodelistsStatus.STALE),
        ({"status": "OK"}, CodelistsStatus.STALE),
    ],
)
def test_only_the_word_ok_means_up_to_date(body: object, status: CodelistsStatus) -> None:
    with serving(json_reply(body)) as server:
        assert OpenCodelistsClient(server.url).check("a", "{}") is status


@pytest.mark.parametrize(
    "reply",
    [
        json_reply({"status": "ok"}, 400),
        json_reply({"status": "ok"}, 500),
        html_reply(404),
        html_reply(502),
        html_reply(200),
        Reply(200),
        Reply(200, b'{"status": "o'),
        json_reply({"status": "ok"}, cut=5),
        Reply(hang_up=True),
        Reply(301, b"", {"Location": "/api/v1/check/"}),
        json_reply({}),
        json_reply({"status": None}),
        json_reply({"status": True}),
        json_reply([]),
        json_reply("ok"),
        json_reply({"status": "ok", "more": "x" * 2_000_000}),
    ],
    ids=lambda reply: f"{reply.status}-{len(reply.body)}-{reply.cut}",
)
def test_an_unusable_answer_is_unavailable(reply: Reply) -> None:
    with serving(reply) as server, pytest.raises(OpenCodelistsUnavailable, match="OpenCodelists") as raised:
        OpenCodelistsClient(server.url).check("a", "{}")
    assert len(server.asked) == 1
    assert raised.value.reason


def test_opencodelists_being_down_is_unavailable() -> None:
    with pytest.raises(OpenCodelistsUnavailable):
        OpenCodelistsClient(refusing_url()).check("a", "{}")


@pytest.mark.parametrize(
    "reply", [json_reply({"status": "ok"}, wait=30), json_reply({"status": "ok"}, drip=0.2)]
)
def test_a_slow_opencodelists_is_given_up_in_time(reply: Reply) -> None:
    with serving(reply) as server, Timed() as timed, pytest.raises(OpenCodelistsUnavailable) as raised:
        OpenCodelistsClient(server.url, limits=LIMITS).check("a", "{}")
    assert "time limit" in raised.value.reason
    assert timed.seconds < 2


def test_text_that_cannot_be_encoded_is_an_error_of_ours() -> None:
    with serving(json_reply({"status": "ok"})) as server, pytest.raises(OpenCodelistsUnavailable):
        OpenCodelistsClient(server.url).check("\ud800", "{}")
