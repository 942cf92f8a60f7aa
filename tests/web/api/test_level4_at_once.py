"""Level 4 tokens used by several at once, and how long a refusal takes (spec: airlock 12.7, access 8.2)."""

import statistics
import threading
import time
from typing import Any

from jobserver.actions import level4 as actions
from jobserver.security import level4
from jobserver.security.callers import BackendCaller
from tests.web.api.level4 import AUTHENTICATE, FAILED, TOKEN, Airlock


def test_two_calls_at_once_with_one_token_and_one_succeeds(airlock: Airlock) -> None:
    airlock.user(username="ada")
    ready = threading.Barrier(4)
    statuses: list[int] = []

    def call() -> None:
        browser = type(airlock.web)(airlock.web.app)
        ready.wait()
        answer = browser.post_json(
            AUTHENTICATE,
            {"user": "ada", "token": TOKEN},
            headers={"Authorization": airlock.secret},
            status="*",
        )
        statuses.append(answer.status_int)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(statuses) == [200, 403, 403, 403]
    assert [name for name, _ in airlock.tasks()] == ["mail_level4_token_used"]
    assert sorted(type_ for type_, _, _ in airlock.events()) == ["level4_login", *[FAILED] * 3]


def test_wrong_tries_at_once_are_all_counted(airlock: Airlock, session_factory: Any) -> None:
    user = airlock.user(username="ada")
    caller = BackendCaller(airlock.backend.id, "tpp", "TPP")
    ready = threading.Barrier(6)

    def call() -> None:
        with session_factory() as db:
            ready.wait()
            assert actions.authenticate(db, caller, "ada", "wrong", ["key"]) is None
            db.commit()

    threads = [threading.Thread(target=call) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert airlock.reload(user).login_token is None
    assert [name for name, _ in airlock.tasks()] == ["mail_level4_token_void"]


def test_an_unknown_user_takes_as_long_as_a_wrong_token(airlock: Airlock, session_factory: Any) -> None:
    airlock.user(username="ada")
    caller = BackendCaller(airlock.backend.id, "tpp", "TPP")
    took: dict[str, list[float]] = {"nobody": [], "ada": []}
    for number in range(42):
        name = ("nobody", "ada")[number % 2]
        with session_factory() as db:
            began = time.perf_counter()
            actions.authenticate(db, caller, name, "wrong", [airlock.settings.secret_key])
            took[name].append(time.perf_counter() - began)
            db.rollback()
    unknown, wrong = (statistics.median(each) for each in took.values())
    assert 0.5 < unknown / wrong < 2
    # The hash is what takes the time of both; without it nothing would be alike.
    hashing = []
    for _ in range(5):
        began = time.perf_counter()
        level4.matches("wrong", None, ["key"])
        hashing.append(time.perf_counter() - began)
    assert unknown > min(hashing) / 2
