"""Asking that released files become public, and reading what was asked for (spec: airlock 6.1, 6.2)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.actions import publication
from jobserver.clients.storage import ReleaseStorage
from jobserver.models import AuditableEvent, PublishRequest, Snapshot, SnapshotFile
from tests import factories as f
from tests.web import releases
from tests.web.api.publishing import FORGED, NOT_PROVIDED, Study, csrf, send, study
from tests.web.conftest import Browser
from tests.web.uploads import leaves_files

pytestmark = [leaves_files, pytest.mark.usefixtures("swept")]


@pytest.fixture
def here(db: Session, storage: ReleaseStorage) -> Study:
    return study(storage)


def numbers(db: Session) -> tuple[int, ...]:
    """How many snapshots, files in them, wishes and events there are."""
    db.rollback()
    tables = (Snapshot, SnapshotFile, PublishRequest, AuditableEvent)
    return tuple(db.scalar(select(func.count()).select_from(each)) or 0 for each in tables)


# POST …/snapshots


def test_a_draft_is_made_and_its_page_told_and_made_once(web: Browser, db: Session, here: Study) -> None:
    ids = [here.file("output/a.csv").id, here.file("output/b.csv").id]
    web.sign_in(here.developer)
    answer = send(web, here.snapshots, {"file_ids": ids}, status=201)
    snapshot = db.scalars(select(Snapshot)).one()
    assert answer.json == {"url": here.address("outputs", snapshot.id)}
    assert numbers(db) == (1, 2, 1, 2)
    request = db.scalars(select(PublishRequest)).one()
    assert (request.decision, request.created_by_id) == (None, here.developer.id)
    again = send(web, here.snapshots, {"file_ids": [*reversed(ids), ids[0]], "more": 1}, status=201)
    assert again.json == answer.json
    assert numbers(db) == (1, 2, 1, 2)


def test_a_form_will_do(web: Browser, db: Session, here: Study) -> None:
    ids = [here.file("output/a.csv").id, here.file("output/b.csv").id]
    web.sign_in(here.developer)
    web.post(here.snapshots, [("file_ids", each) for each in ids], headers=csrf(web), status=201)
    assert numbers(db)[1] == 2
    nothing = web.post(here.snapshots, [("other", "x")], headers=csrf(web), status=400)
    assert nothing.json == {"file_ids": ["This field is required."]}


def test_a_published_set_stays_as_it_is(web: Browser, db: Session, here: Study) -> None:
    file = here.file("output/a.csv")
    snapshot = here.published(file)
    before = numbers(db)
    web.sign_in(here.developer)
    answer = send(web, here.snapshots, {"file_ids": [file.id]}, status=201)
    assert answer.json["url"].endswith(f"/outputs/{snapshot.id}/")
    assert numbers(db) == before
    web.reset()
    web.get(f"{here.snapshots}/{snapshot.id}", status=200)


def test_what_cannot_be_made_public_is_refused_with_its_reason(
    web: Browser, db: Session, here: Study
) -> None:
    fine = here.file("output/a.csv")
    gone = releases.redacted(here.release, "output/gone.csv", here.checker)
    late = releases.waiting(here.release, "output/late.csv")
    foreign = here.file("output/a.csv", release=f.ReleaseFactory())
    neighbour = f.WorkspaceFactory(project=here.workspace.project)
    near = here.file("output/a.csv", release=f.ReleaseFactory(workspace=neighbour))
    web.sign_in(here.developer)
    for ids, detail in [
        ([], "Choose at least one file to publish."),
        ([gone.id], "No file is left to publish: choose at least one that has not been deleted."),
        ([fine.id, "B", "A"], "Unknown file IDs: B, A"),
        ([foreign.id, fine.id], f"Unknown file IDs: {foreign.id}"),
        ([near.id], f"Unknown file IDs: {near.id}"),
        ([fine.id, late.id], "Not uploaded yet: output/late.csv. Leave them out, or wait until they are."),
        ([" x ", 7], "Unknown file IDs: x, 7"),
    ]:
        assert send(web, here.snapshots, {"file_ids": ids}, status=400).json == {"detail": detail}
    assert numbers(db) == (0, 0, 0, 0)
    send(web, here.snapshots, {"file_ids": [gone.id, fine.id]}, status=201)
    assert numbers(db)[1] == 1


LIST = "Expected a list of items but got type"


@pytest.mark.parametrize("who", ["developer", "collaborator"])
def test_a_wrong_body_is_told_by_field_before_the_permission_is_looked_at(
    web: Browser, here: Study, who: str
) -> None:
    web.sign_in(getattr(here, who))
    for body, errors in [
        ({}, ["This field is required."]),
        ({"file_ids": None}, ["This field may not be null."]),
        ({"file_ids": "x"}, [f'{LIST} "str".']),
        ({"file_ids": 1}, [f'{LIST} "int".']),
        ({"file_ids": True}, [f'{LIST} "bool".']),
        ({"file_ids": {"0": "x"}}, [f'{LIST} "dict".']),
        ({"file_ids": ["x", None]}, {"1": ["This field may not be null."]}),
        ({"file_ids": ["", "x"]}, {"0": ["This field may not be blank."]}),
        ({"file_ids": [True, "x", ["x"], {}]}, {place: ["Not a valid string."] for place in "023"}),
        ({"file_ids": ["a\0b"]}, {"0": ["Null characters and half surrogates are not allowed."]}),
    ]:
        assert send(web, here.snapshots, body, status=400).json == {"file_ids": errors}, body
    for body in ([], "x", 1, None):
        answer = web.post_json(here.snapshots, body, headers=csrf(web), status=400)
        assert list(answer.json) == ["non_field_errors"], body
    for text in ("", "{", '{"file_ids": [}', "[" * 100_000, '{"file_ids": [], "file_ids": ["x"]}'):
        options = {"headers": csrf(web), "content_type": "application/json"}
        answer = web.post(here.snapshots, text, status=400, **options)
        assert answer.json["detail"].startswith("JSON parse error - "), text[:20]
    web.post(here.snapshots, "x", headers=csrf(web), content_type="text/plain", status=415)


def test_who_may_ask(web: Browser, db: Session, here: Study) -> None:
    body = {"file_ids": [here.file("output/a.csv").id]}
    elsewhere = f.ProjectMembershipFactory(roles=["ProjectDeveloper"]).user
    everything = f.UserFactory(roles=["OutputChecker", "OutputPublisher", "TechSupport"])
    for person in (here.collaborator, here.stranger, here.checker, here.publisher, elsewhere, everything):
        web.sign_in(person)
        assert send(web, here.snapshots, body, status=403).json == NOT_PROVIDED
    web.reset()
    assert numbers(db) == (0, 0, 0, 0)
    web.sign_in(here.developer)
    send(web, here.snapshots, body, status=201)


def test_without_a_session_the_answer_is_403_whatever_there_is(
    web: Browser, db: Session, here: Study
) -> None:
    backend, token = f.backend_with_token()
    f.BackendMembershipFactory(backend=backend, user=here.developer)
    personal = f.personal_token(here.developer).partition(":")[2]
    for headers in (
        {},
        {"Authorization": token, "OS-User": here.developer.username},
        {"Authorization": f"{here.developer.username}:{personal}"},
        {"Cookie": "sessionid=nonsense"},
    ):
        for address in (here.snapshots, here.snapshots.replace(here.workspace.name, "nowhere")):
            for body in ('{"file_ids": []}', "{", ""):
                answer = web.post(address, body, headers=headers, status=403)
                assert answer.json == NOT_PROVIDED
    assert numbers(db) == (0, 0, 0, 0)


def test_a_page_of_another_site_cannot_ask_in_somebodys_name(web: Browser, db: Session, here: Study) -> None:
    body = {"file_ids": [here.file("output/a.csv").id]}
    web.sign_in(here.developer)
    right = csrf(web)
    for headers in ({}, {"X-CSRFToken": ""}, {"X-CSRFToken": "wrong"}):
        for address in (here.snapshots, here.snapshots.replace(here.workspace.name, "nowhere")):
            assert web.post_json(address, body, headers=headers, status=403).json == FORGED
    # Browsers tell where a request comes from; that counts where there is HTTPS.
    for origin, status in (("https://evil.example", 403), ("https://localhost", 201)):
        headers = {**right, "Origin": origin}
        web.post_json(f"https://localhost{here.snapshots}", body, headers=headers, status=status)
        assert numbers(db)[0] == (status == 201)


def test_an_unknown_workspace_is_told_before_the_body_is_looked_at(web: Browser, here: Study) -> None:
    web.sign_in(here.developer)
    address = here.snapshots.replace(here.workspace.name, "nowhere")
    answer = web.post(address, "{", headers=csrf(web), content_type="application/json", status=404)
    assert answer.json == {"detail": "No Workspace matches the given query."}


def test_any_number_of_files_takes_the_same_statements(
    web: Browser, db: Session, here: Study, count_statements: Callable[[], Any]
) -> None:
    web.sign_in(here.developer)
    headers = csrf(web)
    sent = []
    for number in (2, 20):
        ids = [here.file(f"output/{number}-{place}.csv").id for place in range(number)]
        with count_statements() as statements:
            web.post_json(here.snapshots, {"file_ids": ids}, headers=headers, status=201)
        sent.append(len(statements))
    assert sent[0] == sent[1] <= 10


# GET …/snapshots/<n>


def test_the_files_are_listed_by_name_with_what_became_of_them(
    web: Browser, db: Session, here: Study
) -> None:
    b, a = here.file("output/b.csv", b"abc"), here.file("output/a.csv")
    snapshot = here.draft(b, a)
    b.deleted_at, b.deleted_by_id = b.uploaded_at, here.checker.id
    db.commit()
    web.sign_in(here.developer)
    first, second = web.get(f"{here.snapshots}/{snapshot.id}").json["files"]
    assert list(second.items())[:11] == [
        ("name", "output/b.csv"),
        ("id", b.id),
        ("url", f"/api/v2/releases/file/{b.id}"),
        ("user", here.checker.username),
        ("date", b.created_at.isoformat(timespec="microseconds")),
        ("sha256", b.filehash),
        ("size", 3),
        ("is_deleted", True),
        ("backend", here.release.backend.name),
        ("metadata", None),
        ("review", None),
    ]
    assert (first["name"], first["is_deleted"], first["uploaded"]) == ("output/a.csv", False, True)


def test_a_published_one_is_everybodys_with_public_addresses(web: Browser, db: Session, here: Study) -> None:
    file = here.file("output/a.csv", b"1,2,3\n")
    snapshot = here.published(file)
    address = f"{here.snapshots}/{snapshot.id}"
    for headers in ({}, {"Authorization": "nonsense"}, {"Cookie": "sessionid=nonsense"}):
        (found,) = web.get(address, headers=headers).json["files"]
        assert found["url"] == here.address("published", file.id)
    assert web.get(found["url"]).body == b"1,2,3\n"
    publication.unpublish(db, snapshot, here.publisher)
    db.commit()
    assert web.get(address, status=403).json == NOT_PROVIDED
    web.get(found["url"], status=404)


def test_who_may_see_a_draft(web: Browser, db: Session, here: Study) -> None:
    snapshot = here.draft()
    address = f"{here.snapshots}/{snapshot.id}"
    support = f.UserFactory(roles=["TechSupport"])
    everywhere = f.UserFactory(roles=["ProjectCollaborator"])
    for person in (here.developer, here.collaborator, here.checker, support, everywhere, here.publisher):
        web.sign_in(person)
        assert len(web.get(address).json["files"]) == 1
    elsewhere = f.ProjectMembershipFactory(roles=["ProjectDeveloper"]).user
    for person in (here.stranger, elsewhere, f.UserFactory(roles=["StaffAreaAdministrator"])):
        web.sign_in(person)
        assert here.workspace.name in web.get(address, status=403).json["detail"]
    publication.withdraw(db, snapshot, here.developer)
    db.commit()
    web.sign_in(here.publisher)
    web.get(address, status=403)


def test_tokens_do_not_count_for_drafts(web: Browser, db: Session, here: Study) -> None:
    address = f"{here.snapshots}/{here.draft().id}"
    _, token = f.backend_with_token()
    for authorization in (token, f.personal_token(here.developer)):
        answer = web.get(address, headers={"Authorization": authorization}, status=403)
        assert answer.json == NOT_PROVIDED


def test_strangers_cannot_tell_a_draft_from_nothing(web: Browser, db: Session, here: Study) -> None:
    """And who has an account is told what there is (spec: airlock 12.8)."""
    draft = here.draft()
    other = f.SnapshotFactory()
    nowhere = here.snapshots.replace(here.workspace.name, "nowhere")
    unknown = [
        (f"{here.snapshots}/{other.id}", "Snapshot"),
        (f"{here.snapshots}/999999", "Snapshot"),
        (f"{here.snapshots}/0", "Snapshot"),
        (f"{here.snapshots}/x", "Snapshot"),
        (f"{here.snapshots}/{'9' * 30}", "Snapshot"),
        (f"{here.snapshots}/0{draft.id}", "Snapshot"),
        (f"{nowhere}/{draft.id}", "Workspace"),
    ]
    of_a_draft = web.get(f"{here.snapshots}/{draft.id}", status=403)
    for address, _ in unknown:
        assert web.get(address, status=403).body == of_a_draft.body
    web.sign_in(here.developer)
    for address, entity in unknown:
        answer = web.get(address, status=404)
        assert answer.json == {"detail": f"No {entity} matches the given query."}, address


def test_other_methods_and_a_slash_too_many(web: Browser, db: Session, here: Study) -> None:
    address = f"{here.snapshots}/{here.draft().id}"
    web.sign_in(here.developer)
    for place, allowed in ((here.snapshots, "OPTIONS, POST"), (address, "GET, HEAD, OPTIONS")):
        answer = web.put(place, headers=csrf(web), status=405)
        assert answer.json == {"detail": 'Method "PUT" not allowed.'}
        assert answer.headers["Allow"] == allowed
        described = web.options(place)
        assert described.json["parses"], place
    assert web.head(address).body == b""
    assert web.get(f"{address}/", status=404).content_type == "text/html"
    assert web.post(f"{here.snapshots}/", headers=csrf(web), status=404).content_type == "text/html"
    web.reset()
    assert web.options(address, status=403).json == NOT_PROVIDED


def test_any_number_of_listed_files_takes_the_same_statements(
    web: Browser, db: Session, here: Study, count_statements: Callable[[], Any]
) -> None:
    sent = []
    for number in (2, 20):
        files = [here.file(f"output/{number}-{place}.csv") for place in range(number)]
        address = f"{here.snapshots}/{here.published(*files).id}"
        with count_statements() as statements:
            assert len(web.get(address).json["files"]) == number
        sent.append(len(statements))
    assert sent[0] == sent[1] <= 4
