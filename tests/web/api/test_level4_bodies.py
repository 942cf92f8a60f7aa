"""Bodies that the Level 4 addresses cannot use (spec: airlock 1.4)."""

from typing import Any

import pytest

from jobserver.models import User
from tests.web.api.level4 import AUTHENTICATE, AUTHORISE, TOKEN, Airlock
from tests.web.uploads import leaves_files

REQUIRED, BLANK = ["This field is required."], ["This field may not be blank."]
NULL, NO_TEXT = ["This field may not be null."], ["Not a valid string."]
JSON = "application/json"


def send(
    airlock: Airlock, body: Any, content_type: str = JSON, path: str = AUTHENTICATE, status: int = 400
) -> Any:
    headers = {"Authorization": airlock.secret, "Content-Type": content_type}
    answer = airlock.web.post(path, body, headers=headers, status=status)
    assert answer.content_type == JSON
    return answer.json


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"user": REQUIRED, "token": REQUIRED}),
        ({"user": "ada"}, {"token": REQUIRED}),
        ({"user": "", "token": " \n"}, {"user": BLANK, "token": BLANK}),
        ({"user": None, "token": None}, {"user": NULL, "token": NULL}),
        *[
            ({"user": value, "token": value}, {"user": NO_TEXT, "token": NO_TEXT})
            for value in (True, False, [], ["ada"], {}, {"a": 1})
        ],
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
        ("ada", {"non_field_errors": ["Invalid data. Expected a dictionary, but got str."]}),
        (None, {"non_field_errors": ["Invalid data. Expected a dictionary, but got NoneType."]}),
        (1.5, {"non_field_errors": ["Invalid data. Expected a dictionary, but got float."]}),
    ],
)
def test_wrong_fields_are_named(airlock: Airlock, body: Any, errors: dict[str, list[str]]) -> None:
    assert airlock.post(AUTHENTICATE, body, 400).json == errors
    without_token = {name: said for name, said in errors.items() if name != "token"}
    if without_token:
        assert airlock.post(AUTHORISE, body, 400 if "user" in errors or not isinstance(body, dict) else 404)
    assert airlock.events() == []


@pytest.mark.parametrize("user", ["a\0b", "\ud800", "\\x00"])
def test_text_that_cannot_be_stored_is_refused_not_failed(airlock: Airlock, user: str) -> None:
    assert airlock.post(AUTHENTICATE, {"user": user, "token": "x"}, "*").status_int in {400, 403}
    assert airlock.post(AUTHORISE, {"user": user}, "*").status_int in {400, 404}


def test_numbers_become_text_and_more_keys_count_for_nothing(airlock: Airlock) -> None:
    airlock.user(username="12", token="345")
    body = {"user": 12, "token": 345, "more": {"a": []}}
    assert airlock.post(AUTHENTICATE, body).json["username"] == "12"


@leaves_files
@pytest.mark.usefixtures("swept")
@pytest.mark.parametrize(
    "body",
    [
        b'{"user": "ada"',
        b"{'user': 'ada'}",
        b"\xff\xfe",
        b'{"user": "ada", "user": "bob", "token": "x"}',
        b'{"user": NaN, "token": Infinity}',
        b"[" * 100_000,
        b'{"user":' + b'{"a":' * 100_000,
        b'{"user": ' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_not_json_is_400(airlock: Airlock, body: bytes) -> None:
    for path in (AUTHENTICATE, AUTHORISE):
        assert send(airlock, body, path=path)["detail"].startswith("JSON parse error - ")


def test_another_type_is_415_and_a_flat_form_is_read(airlock: Airlock) -> None:
    airlock.user(username="ada")
    for content_type in ("text/plain", "application/xml", "image/png", "text/json; charset=utf-8"):
        assert "Unsupported media type" in send(airlock, b"{}", content_type, status=415)["detail"]
    form = f"user=ada&token={TOKEN.replace(' ', '+')}"
    assert send(airlock, form, "application/x-www-form-urlencoded", status=200)["username"] == "ada"


@leaves_files
@pytest.mark.usefixtures("swept")
def test_very_long_words_are_only_wrong(airlock: Airlock) -> None:
    user: User = airlock.user(username="ada")
    airlock.sign_in("a" * 1_000_000, status=403)
    airlock.sign_in("ada", "a" * 1_000_000, status=403)
    assert airlock.ask("a" * 100_000, 404)
    assert airlock.reload(user).login_token_failures == 1


def test_the_backend_proves_itself_before_the_body_is_read(airlock: Airlock) -> None:
    for path in (AUTHENTICATE, AUTHORISE):
        answer = airlock.web.post(path, b"[[", headers={"Content-Type": JSON}, status=403)
        assert answer.json == {"detail": "Authorization header is missing"}


@pytest.mark.parametrize("path", [AUTHENTICATE, AUTHORISE])
def test_only_post_is_taken_and_no_final_slash(airlock: Airlock, path: str) -> None:
    headers = {"Authorization": airlock.secret}
    answer = airlock.web.get(path, headers=headers, status=405)
    assert (answer.headers["Allow"], answer.json) == (
        "OPTIONS, POST",
        {"detail": 'Method "GET" not allowed.'},
    )
    airlock.web.post_json(f"{path}/", {}, headers=headers, status=404)
    assert "Level4" in airlock.web.options(path, headers=headers).json["name"]


def test_a_session_and_its_forgery_token_count_for_nothing(airlock: Airlock) -> None:
    user = airlock.user(username="ada", roles=["StaffAreaAdministrator"])
    airlock.web.sign_in(user)
    airlock.ask("ada")
    airlock.web.post_json(AUTHORISE, {"user": "ada"}, status=403)
