"""Choosing files and asking that they become public (spec: pages 19, 30.1 no. 8, airlock 12.4, 12.15, 12.37)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select

from jobserver.clients.storage import ReleaseStorage
from jobserver.models import AuditableEvent, AuditType, ReleaseFile, Snapshot, utcnow
from jobserver.security import tokens
from tests import factories as f
from tests.web import releases as r
from tests.web.conftest import Browser
from tests.web.publishing.conftest import Here
from tests.web.test_releases_pages import words
from tests.web.uploads import leaves_files

NEVER = "Z" * 26


def send(web: Browser, here: Here, *ids: str, go: str = "send", **fields: str) -> Any:
    """What the last step of the form sends."""
    pairs = {"files": " ".join(ids), "title": "Uptake", "go": go, **fields}
    return web.submit(here.prepare, pairs)


def boxes(answer: Any) -> dict[str, Any]:
    """The check boxes by the id of their file."""
    return {box["value"]: box for box in answer.html.select("input[name=file]")}


def test_files_are_chosen_reviewed_and_asked_for(web: Browser, here: Here) -> None:
    one, two = here.files
    answer = web.sign_in(here.developer).get(here.prepare, status=200)
    assert set(boxes(answer)) == {one.id, two.id}
    assert not answer.html.select("input[name=file][checked]")
    assert "output/" in words(answer.html.main)
    form = answer.forms[next(key for key, each in answer.forms.items() if "go" in each.fields)]
    form.get("file", index=1).checked = True
    answer = form.submit("go", value="review")
    shown = words(answer.html.main)
    assert "b.csv" in shown
    assert "a.csv" not in shown
    assert "8 bytes in all" in shown
    assert "Nothing has been sent yet" in shown
    assert answer.click("b.csv", index=0).follow().html.select_one("#file table")
    assert here.made() == [0, 0, 0]
    form = next(each for each in answer.forms.values() if "title" in each.fields)
    project = here.workspace.project.name
    assert form["title"].value == f"{project}: outputs of {here.workspace.name}"
    form["title"], form["summary"] = "  Uptake by\n age ", "Of *vaccines*"
    answer = form.submit("go", value="send", status=303)
    snapshot = here.db.scalars(select(Snapshot)).one()
    assert answer.location.endswith(here.page(snapshot))
    assert (snapshot.title, snapshot.summary) == ("Uptake by age", "Of *vaccines*")
    assert here.made() == [1, 1, 1]
    assert "Asked for. The output publishers have been told" in answer.follow()
    created, asked = here.events()
    assert (created[0], asked[0]) == (AuditType.SNAPSHOT_CREATED, AuditType.PUBLISH_REQUEST_CREATED)
    event = here.db.scalars(select(AuditableEvent)).first()
    assert event is not None
    assert event.changes["title"] == ["", "Uptake by age"]


def test_every_publisher_is_told_but_not_whoever_asks(web: Browser, here: Here) -> None:
    f.UserFactory(roles=["OutputPublisher"], disabled_at=utcnow(), disabled_by_id=here.publisher.id)
    f.UserFactory(roles=["OutputPublisher"], email=None)
    f.ProjectMembershipFactory(
        project=here.workspace.project, user=here.publisher, roles=["ProjectDeveloper"]
    )
    web.sign_in(here.publisher)
    send(web, here, here.files[0].id)
    assert here.mails() == [("mail_publish_request", here.other_publisher.id, None)]


def test_what_cannot_be_published_is_shown_with_why_and_cannot_be_ticked(web: Browser, here: Here) -> None:
    gone = r.redacted(r.release(here), "output/gone.csv", here.checker)
    late = r.waiting(r.release(here), "output/late.csv")
    answer = web.sign_in(here.developer).get(here.prepare)
    assert [id_ for id_, box in boxes(answer).items() if box.has_attr("disabled")] == [gone.id, late.id]
    assert "gone.csv Redacted: it cannot be published" in words(answer.html.main)
    assert "late.csv Not uploaded yet" in words(answer.html.main)
    assert "Choose all 2" in words(answer.html.main)


def test_all_that_match_are_chosen_and_all_in_a_folder(
    web: Browser, here: Here, storage: ReleaseStorage
) -> None:
    release = here.files[0].release
    deep = r.file(release, "output/deep/c.csv", storage=storage)
    odd = r.file(release, "output/100%_d.csv", storage=storage)
    r.redacted(release, "output/gone.csv", here.checker)
    one, two = here.files
    web.sign_in(here.developer)

    def ticked(go: str, **fields: str) -> set[str]:
        answer = web.submit(here.prepare, {"go": go, **fields})
        on_page = {id_ for id_, box in boxes(answer).items() if box.has_attr("checked")}
        return on_page | set(answer.html.select_one("input[name=files]")["value"].split())

    everything = {one.id, two.id, deep.id, odd.id}
    assert ticked("all") == everything
    assert ticked("all", find="DEEP/") == {deep.id}
    assert ticked("all", find="%_") == {odd.id}
    assert ticked("all", find="nowhere", files=one.id) == {one.id}
    assert ticked(f"folder:{one.id}", files=deep.id) == everything
    assert ticked(f"folder:{deep.id}") == {deep.id}
    assert ticked(f"folder:{NEVER}") == set()
    assert ticked("none", files=one.id, file=two.id) == set()
    assert ticked("find", files=one.id, file=two.id, find="a.csv") == {one.id, two.id}
    assert ticked("rubbish", page="rubbish", files=one.id) == {one.id}
    assert here.made() == [0, 0, 0]


def many(here: Here, number: int) -> list[str]:
    """So many files that have arrived, as rows."""
    release = here.files[0].release
    values = {
        "release_id": release.id,
        "workspace_id": release.workspace_id,
        "path": "somewhere",
        "filehash": "0" * 64,
        "size": 10,
        "mtime": utcnow(),
        "created_at": utcnow(),
        "uploaded_at": utcnow(),
        "uploaded_by_id": here.checker.id,
        "created_by_id": here.checker.id,
    }
    ids = [tokens.new_ulid() for _ in range(number)]
    rows = [{**values, "id": id_, "name": f"output/m/{at:05}.csv"} for at, id_ in enumerate(ids)]
    here.db.execute(insert(ReleaseFile), rows)
    here.db.commit()
    return ids


@leaves_files
@pytest.mark.usefixtures("swept")
def test_ten_thousand_files_are_chosen_paged_and_asked_for(
    web: Browser, here: Here, count_statements: Callable[[], Any]
) -> None:
    here.publisher.roles = here.other_publisher.roles = []
    ids = many(here, 10_000)
    web.sign_in(here.developer)
    answer = web.submit(here.prepare, {"go": "all"})
    assert len(boxes(answer)) == 250
    assert "10,002 files, 100 kB" in words(answer.html.main)
    # What is unticked on one page is left out, whatever page comes next.
    kept = answer.html.select_one("input[name=files]")["value"]
    on_page = [("file", id_) for id_ in boxes(answer) if id_ not in ids[:2]]
    answer = web.submit(here.prepare, [("files", kept), *on_page, ("go", "page:2")])
    assert "10,000 files" in words(answer.html.main)
    kept = answer.html.select_one("input[name=files]")["value"]
    on_page = [("file", id_) for id_ in boxes(answer)]
    answer = web.submit(here.prepare, [("files", kept), *on_page, ("go", "review")])
    assert "And 9,750 more files" in words(answer.html.main)
    carried = answer.html.select_one("input[name=files]")["value"]
    assert len(carried.split()) == 10_000
    with count_statements() as statements:
        send(web, here, carried)
    assert len(statements) <= 20
    assert here.made() == [1, 10_000, 1]


@pytest.mark.parametrize("go", ["review", "send"])
def test_nothing_is_made_of_what_is_not_the_workspaces_or_cannot_be_read(
    web: Browser, here: Here, storage: ReleaseStorage, go: str
) -> None:
    elsewhere = r.file(f.ReleaseFactory(), "output/theirs.csv", storage=storage)
    sister = f.ReleaseFactory(workspace=f.WorkspaceFactory(project=here.workspace.project))
    beside = r.file(sister, "output/beside.csv", storage=storage)
    gone = r.redacted(r.release(here), "output/gone.csv", here.checker)
    late = r.waiting(r.release(here), "output/late.csv")
    fine = here.files[0]
    web.sign_in(here.developer)
    for bad, why in (
        (elsewhere.id, f"Unknown file IDs: {elsewhere.id}"),
        (beside.id, f"Unknown file IDs: {beside.id}"),
        (gone.id, "Redacted: output/gone.csv"),
        (late.id, "Not uploaded yet: output/late.csv"),
        ("';--<script>", "Unknown file IDs: ';--"),
        (f"{NEVER}\0", f"Unknown file IDs: {NEVER}"),
    ):
        answer = send(web, here, fine.id, bad, go=go)
        assert why in words(answer.html.main)
        assert "Your choice is now without them" in answer
        assert boxes(answer)[fine.id].has_attr("checked")
    assert "Choose at least one file" in send(web, here, go=go)
    assert here.made() == [0, 0, 0]
    assert here.events() == []


def test_a_title_is_needed_and_neither_is_too_long(web: Browser, here: Here) -> None:
    web.sign_in(here.developer)
    for fields, why in (
        ({"title": " \n "}, "Give the outputs a title."),
        ({"title": "x" * 201}, "200 characters or fewer"),
        ({"summary": "x" * 5001}, "5,000 characters or fewer"),
    ):
        answer = send(web, here, here.files[0].id, **fields)
        assert why in words(answer.html.select_one(".error-summary"))
        assert answer.html.select_one("input[name=files]")["value"] == here.files[0].id
    assert here.made() == [0, 0, 0]


def test_asking_twice_is_one_request_and_says_so(web: Browser, here: Here) -> None:
    web.sign_in(here.developer)
    for expected in ("Asked for. The output publishers", "it is one request"):
        assert expected in send(web, here, here.files[0].id).follow()
    assert here.made() == [1, 1, 1]
    assert len(here.mails()) == 2
    answer = send(web, here, here.files[0].id, title="Another").follow()
    assert "It keeps the title and summary that it had" in answer
    assert here.db.scalars(select(Snapshot.title)).one() == "Uptake"


def test_a_set_that_a_program_made_gets_the_words_and_a_published_one_stays(web: Browser, here: Here) -> None:
    one, two = here.files
    bare = r.snapshot(here, [one])
    # As the API makes them: by the digest of its files.
    bare.digest = tokens.digest(one.id)
    here.db.commit()
    web.sign_in(here.developer)
    answer = send(web, here, one.id, summary="Of vaccines").follow()
    assert "Asked for again" in answer
    here.db.refresh(bare)
    assert (bare.title, bare.summary) == ("Uptake", "Of vaccines")
    public = here.published(two)
    answer = send(web, here, two.id, title="Mine now").follow()
    assert "public already. Nothing was changed. It keeps the title" in words(answer.html)
    here.db.refresh(public)
    assert public.title == "Uptake"


def test_who_may_prepare_and_only_from_our_own_form(web: Browser, here: Here) -> None:
    web.get(here.prepare, status=303)
    for person in (here.collaborator, here.checker, here.publisher):
        web.sign_in(person).get(here.prepare, status=403)
        web.submit(here.prepare, {"go": "send", "files": here.files[0].id, "title": "x"}, status=403)
    web.sign_in(here.stranger).get(here.prepare, status=[403, 404])
    web.sign_in(here.developer)
    fields = {"go": "send", "files": here.files[0].id, "title": "x"}
    web.post(here.prepare, fields, status=400)
    web.post(here.prepare, {**fields, "csrfmiddlewaretoken": "wrong"}, status=400)
    assert here.made() == [0, 0, 0]


def test_a_file_may_be_named_in_the_address_and_rubbish_there_does_no_harm(web: Browser, here: Here) -> None:
    one, two = here.files
    web.sign_in(here.developer)
    answer = web.get(f"{here.prepare}?file={one.id}&file={NEVER}&files=%00&page=-1&find=%00")
    assert [id_ for id_, box in boxes(answer).items() if box.has_attr("checked")] == [one.id]
    answer = web.get(f"{here.prepare}?find=b.csv")
    assert set(boxes(answer)) == {two.id}
    assert "No file matches" in web.get(f"{here.prepare}?find=nothing")


def test_the_page_takes_the_same_statements_for_any_number_of_files(
    web: Browser, here: Here, count_statements: Callable[[], Any]
) -> None:
    web.sign_in(here.developer)
    numbers = []
    for more in (0, 600):
        many(here, more) if more else None
        with count_statements() as statements:
            web.get(here.prepare)
        numbers.append(len(statements))
    assert numbers[0] == numbers[1] <= 12
