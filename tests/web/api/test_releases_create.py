"""Announcing a release (spec: airlock 4.2, 12.1, 12.13, 12.14, 12.25)."""

import json
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from jobserver import make_app
from jobserver.models import AuditableEvent, Release, ReleaseFile
from jobserver.security import tokens
from jobserver.settings import Settings
from tests import factories as f
from tests.web.api.releasing import Releasing, announced, body_of
from tests.web.conftest import Browser
from tests.web.uploads import leaves_files

pytestmark = [leaves_files, pytest.mark.usefixtures("swept")]

ID = "01M84YW5GNHCWC70E74K0PWK9X"


@pytest.fixture
def airlock(web: Browser, db: Session) -> Releasing:
    return Releasing(web)


def events(db: Session) -> list[tuple[str, str, str]]:
    """What the audit trail has of releases: kind, by whom, of what."""
    columns = select(AuditableEvent.type, AuditableEvent.created_by, AuditableEvent.target_id)
    return [tuple(row) for row in db.execute(columns.order_by(AuditableEvent.id))]  # type: ignore[misc]


def count(db: Session, model: Any) -> int:
    db.rollback()
    return db.scalar(select(func.count()).select_from(model)) or 0


def test_a_release_is_stored_with_its_files(airlock: Releasing, db: Session) -> None:
    body = body_of(
        announced(size="4", date="2026-11-23T20:41:37.948590+01:00"),
        announced("output/Ñ 'a' \"b\".txt", b"", review={"status": "APPROVED", "comments": {"a": "b"}}),
        id_=ID,
        unknown="ignored",
    )
    answer = airlock.create(body)
    project = airlock.workspace.project
    page = f"http://localhost/{project.org.slug}/{project.slug}/study-a/releases/{ID}/"
    assert answer.body == f'{{"release_id":"{ID}","release_url":"{page}"}}'.encode()
    assert answer.headers["Release-Id"] == ID
    assert answer.headers["Content-Type"] == "application/json"
    release = db.scalars(select(Release)).one()
    assert (release.id, release.workspace_id, release.backend_id, release.created_by_id, release.status) == (
        *(ID, airlock.workspace.id, airlock.backend.id, airlock.checker.id, "REQUESTED"),
    )
    assert (release.metadata_, release.review) == ({"tool": "airlock"}, None)
    requested = db.scalar(select(Release.requested_files)) or []
    assert requested[0] == {**body["files"][0], "size": 4, "date": "2026-11-23T19:41:37.948Z"}
    assert requested[1]["review"] == {"status": "APPROVED", "comments": {"a": "b"}}
    first, second = db.scalars(select(ReleaseFile).order_by(ReleaseFile.size.desc()))
    assert (first.name, first.filehash, first.size) == ("output/summary.csv", body["files"][0]["sha256"], 4)
    assert first.mtime == datetime(2026, 11, 23, 19, 41, 37, 948590, UTC)
    assert (first.path, first.uploaded_at, first.metadata_) == ("", None, {"tool": "airlock"})
    assert second.name == "output/Ñ 'a' \"b\".txt"
    assert events(db) == [("release_created", airlock.checker.username, ID)]


def test_without_an_id_every_call_makes_a_release(airlock: Releasing, db: Session) -> None:
    ids = set()
    for metadata in ({}, {"airlock_id": None}, {"airlock_id": None}):
        ids.add(airlock.create(body_of(metadata=metadata)).headers["Release-Id"])
    assert len(ids) == count(db, Release) == 3
    assert {len(each) for each in ids} == {26}


def test_repeating_is_harmless_and_another_persons_repeat_leaves_a_trace(
    airlock: Releasing, db: Session
) -> None:
    files = [announced(), announced("b.csv", b"b")]
    first = airlock.create(body_of(*files, id_=ID))
    again = airlock.create(body_of(*files, id_=ID))
    other = airlock.person(["OutputChecker"])
    reordered = [{**each, "url": "other", "metadata": {}} for each in reversed(files)]
    by_other = airlock.create(body_of(*reordered, id_=ID), **{"OS-User": other.username})
    assert first.body == again.body == by_other.body
    assert first.headers["Release-Id"] == by_other.headers["Release-Id"] == ID
    assert (count(db, Release), count(db, ReleaseFile)) == (1, 2)
    assert db.scalar(select(Release.created_by_id)) == airlock.checker.id
    assert events(db) == [
        ("release_created", airlock.checker.username, ID),
        ("release_repeated", other.username, ID),
    ]


def test_another_release_under_the_same_id_is_a_conflict(airlock: Releasing, db: Session) -> None:
    file = announced()
    airlock.create(body_of(file, announced("b.csv", b"b"), id_=ID))
    for others in (
        [file],
        [file, announced("b.csv", b"b"), announced("c.csv")],
        [file, announced("other.csv", b"b")],
        [file, announced("b.csv", b"b", size=2)],
        [file, announced("b.csv", b"B")],
        [],
    ):
        answer = airlock.create(body_of(*others, id_=ID), 409)
        assert list(answer.json) == ["detail"]
        assert ID in answer.json["detail"]
    f.WorkspaceFactory(name="study-b")
    same = body_of(file, announced("b.csv", b"b"), id_=ID)
    assert "another workspace or backend" in airlock.create(same, 409, workspace="study-b").json["detail"]
    elsewhere = Releasing(airlock.web, "emis", airlock.workspace)
    assert "another workspace or backend" in elsewhere.create(same, 409).json["detail"]
    assert (count(db, Release), count(db, ReleaseFile)) == (1, 2)


def test_the_same_release_asked_for_several_times_at_once_is_made_once(
    airlock: Releasing, db: Session
) -> None:
    body = body_of(*[announced(f"{n}.csv") for n in range(50)], id_=ID)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: airlock.create(body), range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert (count(db, Release), count(db, ReleaseFile)) == (1, 50)


def test_ten_thousand_files_take_seconds(airlock: Releasing, db: Session) -> None:
    body = body_of(*[announced(f"output/folder-{n % 100}/table-{n}.csv") for n in range(10_000)], id_=ID)
    began = time.monotonic()
    airlock.create(body)
    made = time.monotonic()
    airlock.create(body)
    assert count(db, ReleaseFile) == 10_000
    assert (made - began) < 15, "two on an idle machine"
    assert time.monotonic() - made < 10


def test_the_number_of_statements_does_not_grow_with_the_files(
    airlock: Releasing, count_statements: Callable[[], Any]
) -> None:
    numbers = []
    for files in (1, 200):
        body = body_of(*[announced(f"{n}.csv") for n in range(files)], id_=tokens.new_ulid())
        with count_statements() as sent:
            airlock.create(body)
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 10


# Names

REFUSED_NAMES = {
    "absolute": "/etc/passwd",
    "up": "../../etc/passwd",
    "up in the middle": "output/../../x",
    "up at the end": "output/..",
    "here": "./x",
    "empty part": "output//x",
    "folder": "output/",
    "backslash": "output\\x",
    "line feed": "a\nb",
    "nul": "a\0b",
    "delete": "a\x7fb",
    "control of Latin-1": "a\x85b",
    "long part": "x" * 256,
    "long part of two bytes each": "é" * 128,
    "long": "/".join(["x" * 100] * 25),
    "not Latin-1": "output/résumé–2.csv",
    "half surrogate": "a\ud800b",
    "blank": " ",
    "empty": "",
    "null": None,
    "list": ["x"],
    "true": True,
}


def test_a_name_that_cannot_be_stored_is_refused(airlock: Releasing, db: Session) -> None:
    for reason, name in REFUSED_NAMES.items():
        answer = airlock.create(body_of(announced("good.csv"), {**announced(), "name": name}), 400)
        assert list(answer.json) == ["files"], reason
        assert list(answer.json["files"]) == ["1"], "only of the wrong one"
        assert list(answer.json["files"]["1"]) == ["name"]
    assert count(db, Release) == 0


def test_names_may_be_odd_and_long_and_numbers(airlock: Releasing, db: Session) -> None:
    # By chance, for what repeats itself takes less room in an index.
    longest = "/".join(secrets.token_hex(124) for _ in range(10))
    names = ["...", ".hidden", "a..b/..c", " a ", "%2e%2e/x", "con", "a'b\"c;d", "$(x)", "-rf", longest]
    airlock.create(body_of(*[announced(each) for each in names], {**announced(), "name": 7}))
    assert set(db.scalars(select(ReleaseFile.name))) == {*names, "7"}


def test_names_that_cannot_be_stored_beside_each_other_are_refused(airlock: Releasing) -> None:
    files = [announced(each) for each in ("a/b", "x", "a", "x", "a/b/c", "a-b")]
    answer = airlock.create(body_of(*files), 400)
    assert list(answer.json["files"]) == ["2", "0", "3"]
    assert answer.json["files"]["3"] == {"name": ["The file x comes more than once."]}
    assert answer.json["files"]["2"] == {"name": ["a cannot be a file and a folder: there is a/b."]}


# Fields

WRONG: dict[str, list[Any]] = {
    "url": [None, "", " ", True, [], {}, "a\0b"],
    "size": [None, "", "x", 1.5, True, [], {}, -1, 2**70, 16 * 1024 * 1024 + 1, "9" * 5000],
    "sha256": [None, "", "x", "g" * 64, "a" * 63, "a" * 65, 1, True, [], {}],
    "date": [None, "", "yesterday", "2026-13-01", 5, True, [], "0001-01-01T00:00:00+14:00"],
    "metadata": [None, "", "x", 1, True, [], {"a": "\0"}, {"a": {"b": ["\ud800"]}}],
    "review": [
        *("", "x", 1, True, [], {}),
        {"status": "approved", "comments": {}},
        {"status": "APPROVED", "comments": None},
        {"status": ["APPROVED"], "comments": {}},
    ],
}


def test_a_wrong_field_of_a_file_is_named(airlock: Releasing, db: Session) -> None:
    for field, values in WRONG.items():
        missing = announced()
        del missing[field]
        for file in (missing, *[announced(**{field: value}) for value in values]):
            answer = airlock.create(body_of(file, announced("good.csv")), 400)
            assert list(answer.json) == ["files"], file
            assert list(answer.json["files"]) == ["0"]
            assert list(answer.json["files"]["0"]) == [field]
    assert count(db, Release) == 0


def test_a_wrong_field_of_the_release_is_named(airlock: Releasing, db: Session) -> None:
    wrong_ids = ["", "x", ID.lower(), f"{ID} ", f"{ID}\n", ID[:-1], f"{ID}0", ID.replace("M", "I"), 5, True]
    bodies: list[tuple[str, Any]] = [
        *(("files", {**body_of(), "files": each}) for each in (None, "", "x", 1, {}, True)),
        *(("files", {**body_of(), "files": [each]}) for each in (None, "x", 1, [])),
        *(("metadata", body_of(metadata=each)) for each in (None, "", "x", 1, [], True)),
        *(("metadata", body_of(metadata={"airlock_id": each})) for each in (*wrong_ids, [], {})),
        *(("review", body_of(review=each)) for each in ("", "x", 1, [], True)),
        *((key, {k: v for k, v in body_of().items() if k != key}) for key in ("files", "metadata", "review")),
    ]
    for key, body in bodies:
        assert list(airlock.create(body, 400).json) == [key], body
    assert airlock.create("[]", 400).json.keys() == {"non_field_errors"}
    assert airlock.create('{"files":[', 400).json["detail"].startswith("JSON parse error")
    assert airlock.create('{"files":[],"files":[]}', 400).json.keys() == {"detail"}
    assert count(db, Release) == 0


def deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def test_deep_nesting_is_stored_or_refused(airlock: Releasing, db: Session) -> None:
    given = [
        *((body_of(metadata="HERE"), depth) for depth in (100, 199)),
        (body_of(announced(metadata="HERE")), 197),
    ]
    for body, depth in given:
        assert airlock.create(json.dumps(body).replace('"HERE"', deep(depth)), 201)
    # What can just be parsed was too deep for the database's driver (spec: airlock 12).
    refused = [
        *((body_of(metadata="HERE"), depth) for depth in (200, *range(900, 930), 100_000)),
        *((body_of(announced(metadata="HERE")), depth) for depth in (198, *range(900, 930))),
    ]
    for body, depth in refused:
        answer = airlock.create(json.dumps(body).replace('"HERE"', deep(depth)), 400)
        assert answer.json == {"detail": "JSON parse error - nested too deeply"}, depth
    assert count(db, Release) == len(given)


def test_numbers_that_the_database_cannot_keep_are_refused(airlock: Releasing) -> None:
    for number in ("1e999", "-1e999", "NaN", "1" * 5000):
        text = json.dumps(body_of(metadata="HERE")).replace('"HERE"', f'{{"a":{number}}}')
        assert airlock.create(text, 400).json


def test_more_files_than_a_release_can_have_are_refused(airlock: Releasing) -> None:
    answer = airlock.create(body_of(*[{}] * 20_001), 400)
    assert answer.json == {"files": ["A release can have at most 20,000 files."]}


def test_a_form_cannot_carry_a_list_of_files(airlock: Releasing) -> None:
    address = "/api/v2/releases/workspace/study-a"
    answer = airlock.web.post(address, {"files": "x"}, headers=airlock.headers, status=400)
    assert answer.json["files"] == ["Expected a list of items."]
    other = {"headers": airlock.headers, "content_type": "text/plain", "status": 415}
    assert airlock.web.post(address, "{}", **other).json.keys() == {"detail"}


def test_the_addresses_in_answers_are_the_sites_own(settings: Settings, engine: Engine, db: Session) -> None:
    """A proxy asks by another name and without TLS (spec: airlock 12.35)."""
    site = "https://jobs.example.org"
    airlock = Releasing(Browser(make_app(replace(settings, base_url=site), engine=engine)))
    created = airlock.create(body_of(announced("a", b"a"), id_=ID))
    assert created.request.host == "localhost:80"
    assert created.json["release_url"].startswith(f"{site}/")
    uploaded = airlock.upload(ID, "a", b"a")
    assert uploaded.headers["Location"] == f"{site}/api/v2/releases/file/{uploaded.headers['File-Id']}"
    for _ in range(2):
        f.JobRequestFactory(backend=airlock.backend, workspace=airlock.workspace)
    address = "/api/v2/job-requests/?limit=1"
    following = airlock.web.get(address, headers={"Authorization": airlock.token}).json["next"]
    assert following == f"{site}{address}&offset=1"


# Who may

NOBODY = {"detail": "Authentication credentials were not provided."}


def test_only_a_checker_of_the_backend_may_through_it(airlock: Releasing, db: Session) -> None:
    developer = airlock.person([])
    f.ProjectMembershipFactory(
        project=airlock.workspace.project, user=developer, roles=["ProjectDeveloper", "ProjectCollaborator"]
    )
    elsewhere = f.UserFactory(roles=["OutputChecker"])
    address = "/api/v2/releases/workspace/study-a"
    for username in (developer.username, elsewhere.username, "nobody", "", airlock.checker.email, "a\0b"):
        assert airlock.create(body_of(), 403, **{"OS-User": username}).json == NOBODY
    assert airlock.create(body_of(), 201, **{"OS-User": f" {airlock.checker.username} "})
    for headers in ({}, {"Authorization": "x"}, {"Authorization": f"Bearer {airlock.token}"}):
        answer = airlock.web.post_json(address, body_of(), headers=headers, status=403)
        assert answer.json.keys() == {"detail"}
    only_token = {"Authorization": airlock.token}
    assert airlock.web.post_json(address, body_of(), headers=only_token, status=403).json == NOBODY
    airlock.web.sign_in(airlock.checker)
    answer = airlock.web.post_json(address, body_of(), status=403)
    assert answer.json == {"detail": "Authorization header is missing"}
    assert count(db, Release) == 1


def test_credentials_come_before_the_workspace_and_the_workspace_before_the_body(airlock: Releasing) -> None:
    answer = airlock.create("{", 403, workspace="no-such", Authorization="wrong")
    assert answer.json == {"detail": "Invalid token"}
    answer = airlock.create("{", 404, workspace="no-such")
    assert answer.json == {"detail": "No Workspace matches the given query."}
    answer = airlock.create("{", 403, **{"OS-User": airlock.person([]).username})
    assert answer.json == NOBODY


def test_a_session_beside_the_token_counts_for_nothing(airlock: Releasing) -> None:
    airlock.web.sign_in(f.UserFactory())
    airlock.create(body_of(announced(), id_=ID))
