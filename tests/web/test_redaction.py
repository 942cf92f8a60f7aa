"""Redacting a released file (spec: airlock 5.4, 12.10, 12.18, 12.19, 12.34; domain 13.47; pages 30.37, 30.40)."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jobserver.clients.storage import ReleaseStorage
from jobserver.models import AuditableEvent, ReleaseFile
from tests import factories as f
from tests.unit.rap.eventually import eventually
from tests.web import releases as r
from tests.web.api.publishing import Study, study
from tests.web.conftest import Browser
from tests.web.uploads import leaves_files, swept

__all__ = ["swept"]

REASON = "Two cells count fewer than 8 people"


@pytest.fixture
def here(db: Session, storage: ReleaseStorage) -> Study:
    return study(storage)


def page_of(here: Study, file: ReleaseFile) -> str:
    return here.address("releases", file.release_id, file.id, "delete")


def redact(web: Browser, here: Study, file: ReleaseFile, reason: str = REASON, **options: Any) -> Any:
    """Send the form as the checker would."""
    name = options.pop("confirmation", file.name.rpartition("/")[2])
    return web.submit(page_of(here, file), {"reason": reason, "confirmation": name}, **options)


def told(db: Session, kind: str = "%") -> list[tuple[str, Any]]:
    query = text("SELECT task_name, args FROM procrastinate_jobs WHERE task_name LIKE :kind ORDER BY id")
    return [(name, args) for name, args in db.execute(query, {"kind": kind})]


def is_untouched(db: Session, file: ReleaseFile, storage: ReleaseStorage) -> bool:
    db.refresh(file)
    return (file.deleted_at, told(db, "%redacted%"), storage.has(file.path)) == (None, [], True)


# The question


def test_the_question_says_what_goes_where_it_is_shown_and_what_stays(
    web: Browser, db: Session, here: Study
) -> None:
    file = here.file("output/tables/counts.csv", b"a,b\n1,2\n")
    public, draft = here.published(file), here.draft(file, here.file("b.csv", b"b\n"))
    copy = here.file("old.csv", b"a,b\n1,2\n", release=r.release(here))
    elsewhere = r.release(r.place())
    here.file("theirs.csv", b"a,b\n1,2\n", release=elsewhere)
    r.redacted(here.release, "gone.csv", here.checker, filehash=file.filehash)
    page = web.sign_in(here.checker).get(page_of(here, file))
    main = page.html.main
    assert "output/tables/counts.csv" in main.text
    assert main.find("a", href=here.address("releases", here.release.id))
    sets = main.find("section", attrs={"aria-labelledby": "sets"})
    assert (
        sets.find("a", href=here.address("outputs", public.id)).parent.text.count("the public can read") == 1
    )
    assert "the public can read" not in sets.find("a", href=here.address("outputs", draft.id)).parent.text
    assert [link["href"] for link in main.select(".note a")] == [
        here.address("releases", copy.release_id, copy.id)
    ]
    assert "1 Project Developer of the project, by email" in " ".join(main.text.split())
    form = main.find("form", method="post")
    assert {field["name"] for field in form.select("[name]")} == {
        "csrfmiddlewaretoken",
        "reason",
        "confirmation",
    }
    assert is_untouched(db, file, here.storage)


def test_a_file_in_no_set_and_without_copies_or_developers(web: Browser, db: Session, here: Study) -> None:
    lonely = r.place()
    db.execute(text("UPDATE project_membership SET roles = '{}'"))
    file = here.file("a.csv", release=r.release(lonely))
    page = web.sign_in(lonely.checker).get(lonely.address("releases", file.release_id, file.id, "delete"))
    assert page.html.main.find(id="sets") is None
    assert page.html.main.select(".note") == []
    assert "no Project Developers" in page.html.main.text


def test_the_question_costs_as_many_statements_however_much_there_is_to_show(
    web: Browser, db: Session, here: Study, count_statements: Callable[[], Any]
) -> None:
    file = here.file("a.csv")
    web.sign_in(here.checker)
    sent = []
    for more in (0, 30):
        for number in range(more):
            here.file(f"{number}.csv")
            f.SnapshotFactory(workspace=here.workspace, files=[file])
        with count_statements() as statements:
            web.get(page_of(here, file))
        assert statements.writes == []
        sent.append(len(statements))
    assert sent[0] == sent[1] <= 12
    main = web.get(page_of(here, file)).html.main
    assert "and 5 more" in main.find("section", attrs={"aria-labelledby": "sets"}).text
    assert len(main.select(".note li")) == 20


# Redacting


def test_a_redacted_file_keeps_its_row_and_loses_its_bytes_to_the_worker(
    web: Browser, db: Session, here: Study
) -> None:
    file = here.file("output/counts.csv", b"a,b\n1,2\n")
    answer = redact(web.sign_in(here.checker), here, file, f"  {REASON}\r\n and more\t")
    assert answer.status_int == 303
    assert answer.location == f"http://localhost{here.address('releases')}"
    shown = answer.follow().html
    flash = shown.find(attrs={"role": "status"})
    assert "Redacted counts.csv." in flash.text
    assert flash.find("a")["href"] == here.address("releases", here.release.id)
    db.refresh(file)
    assert (file.deleted_by_id, file.deleted_reason) == (here.checker.id, f"{REASON} and more")
    assert (file.size, file.name, file.uploaded_by_id) == (8, "output/counts.csv", here.checker.id)
    # The bytes go after the commit, by the worker.
    assert here.storage.has(file.path)
    assert told(db, "remove%") == [("remove_redacted_file", {"file_id": file.id})]


def test_who_redacted_what_and_why_is_in_the_audit_trail_and_staff_can_read_it(
    web: Browser, db: Session, here: Study
) -> None:
    file = here.file("output/counts.csv")
    redact(web.sign_in(here.checker), here, file)
    event = db.scalars(select(AuditableEvent).where(AuditableEvent.type == "release_file_deleted")).one()
    assert (event.target_model, event.target_id, event.target_label) == (
        "jobserver.ReleaseFile",
        file.id,
        "output/counts.csv",
    )
    assert (event.parent_model, event.parent_id) == ("jobserver.Workspace", str(here.workspace.id))
    assert (event.created_by, event.actor_id, event.reason, event.source) == (
        here.checker.username,
        here.checker.id,
        REASON,
        "browser",
    )
    page = web.sign_in(f.UserFactory(roles=["StaffAreaAdministrator"])).get("/staff/audit/").html
    sentence = " ".join(page.main.text.split())
    assert (
        f"{here.checker.username} redacted the released file output/counts.csv of {here.workspace.name}"
        in (sentence)
    )
    assert REASON in sentence
    assert page.find("a", href=here.address("releases", here.release.id, file.id))


def test_every_developer_of_the_project_is_told_and_nobody_else(
    web: Browser, db: Session, here: Study
) -> None:
    project = here.workspace.project
    second = f.ProjectMembershipFactory(
        project=project, roles=["ProjectDeveloper", "ProjectCollaborator"]
    ).user
    f.ProjectMembershipFactory(project=project, roles=["ProjectDeveloper"], ends_at=here.release.created_at)
    closed = {"disabled_at": here.release.created_at, "disabled_by_id": here.checker.id}
    for unreachable in (f.UserFactory(**closed), f.UserFactory(email=None)):
        f.ProjectMembershipFactory(project=project, roles=["ProjectDeveloper"], user=unreachable)
    f.ProjectMembershipFactory(roles=["ProjectDeveloper"])
    file = here.file("a.csv")
    redact(web.sign_in(here.checker), here, file)
    assert [args for _, args in told(db, "mail%")] == [
        {"user_id": user.id, "file_id": file.id} for user in (here.developer, second)
    ]


def test_a_redacted_file_is_read_nowhere_from_the_commit_on_though_its_bytes_are_still_there(
    web: Browser, db: Session, here: Study
) -> None:
    file, other = here.file("a.csv", b"secret\n"), here.file("b.csv", b"fine\n")
    public = here.published(file, other)
    raw = here.address("releases", here.release.id, file.id, "raw")
    addresses = [
        raw,
        here.address("releases", here.release.id, file.id, "download"),
        here.address("outputs", public.id, file.id, "raw"),
        here.address("outputs", public.id, file.id, "download"),
        here.address("published", file.id),
        f"/api/v2/releases/file/{file.id}",
    ]
    zips = [
        here.address("releases", here.release.id, "download"),
        here.address("outputs", public.id, "download"),
        here.address("outputs", "latest", "download"),
    ]
    pages = [
        here.address("releases", here.release.id, "a.csv"),
        here.address("outputs", public.id, "a.csv"),
        here.address("outputs", "latest", here.release.backend.slug, "a.csv"),
    ]
    web.sign_in(here.checker)
    had = web.get(raw).headers["ETag"]
    for address in addresses:
        assert b"secret" in web.get(address).body, address
    for address in pages:
        assert "secret" in web.get(address).text, address
    redact(web, here, file)
    assert here.storage.has(file.path)
    for headers in ({}, {"If-None-Match": had, "Range": "bytes=0-2", "Releases-Redirect": "/storage"}):
        for address in addresses:
            answer = web.get(address, headers=headers, status=404)
            assert b"secret" not in answer.body
            assert "X-Accel-Redirect" not in answer.headers
    for address in zips:
        with ZipFile(io.BytesIO(web.get(address).body)) as found:
            assert b"secret\n" not in [found.read(name) for name in found.namelist()]
    for address in pages:
        assert "secret" not in web.get(address).text
    web.reset()
    for address in addresses[2:5]:
        assert b"secret" not in web.get(address, status=404).body
    assert "secret" not in web.get(pages[1]).text


def test_a_file_of_a_published_set_stays_listed_as_redacted_without_who_and_why(
    web: Browser, db: Session, here: Study
) -> None:
    file = here.file("output/counts.csv", b"secret\n")
    public = here.published(file, here.file("b.csv"))
    redact(web.sign_in(here.checker), here, file)
    web.reset()
    index = web.get(f"/api/v2/workspaces/{here.workspace.name}/snapshots/{public.id}").json["files"]
    assert {each["name"]: each["is_deleted"] for each in index} == {"output/counts.csv": True, "b.csv": False}
    page = web.get(here.address("outputs", public.id))
    assert "counts.csv" in page.html.main.text
    assert REASON not in page.text
    assert here.checker.fullname not in page.html.main.text.replace("Published by", "")
    reader = web.sign_in(here.developer).get(here.address("releases", here.release.id))
    assert "counts.csv" in reader.html.main.text


# What is refused


@pytest.mark.parametrize(
    ("reason", "confirmation", "message"),
    [
        ("", "counts.csv", "Say why the file has to go."),
        (" \r\n\t ", "counts.csv", "Say why the file has to go."),
        ("x" * 1001, "counts.csv", "Shorten this to 1,000 characters or fewer."),
        ("\u202egnp", "counts.csv", "no control characters"),
        (REASON, "", "Type the name of the file."),
        (REASON, "output/counts.csv", "This is not the name of the file."),
        (REASON, "COUNTS.csv", "This is not the name of the file."),
        (REASON, "yes", "This is not the name of the file."),
    ],
)
def test_without_a_reason_or_the_name_nothing_is_deleted_and_what_was_typed_stays(
    web: Browser, db: Session, here: Study, reason: str, confirmation: str, message: str
) -> None:
    file = here.file("output/counts.csv")
    page = redact(web.sign_in(here.checker), here, file, reason, confirmation=confirmation, status=200)
    assert message in page.html.find(attrs={"role": "alert"}).text
    assert page.html.title.text.startswith("Error: ")
    assert page.html.find("input", attrs={"name": "confirmation"}).get("value", "") == confirmation
    assert page.html.find("textarea").text.strip() == reason.strip()
    assert is_untouched(db, file, here.storage)


def test_the_name_is_typed_as_it_is_seen(web: Browser, db: Session, here: Study) -> None:
    """A page shows a run of white space as one space, and a keyboard may write é as two characters."""
    file, blank = here.file("output/caf\xe9  of \xa0 a\xad.csv"), here.file("output/\xad \xa0")
    for each, typed in ((file, " cafe\u0301 of a.csv "), (blank, "output/")):
        answer = redact(web.sign_in(here.checker), here, each, confirmation=typed)
        assert answer.status_int == 303


@pytest.mark.parametrize("what", ["redacted", "waiting", "lost", "a folder", "a link"])
def test_what_cannot_be_redacted_is_404_and_says_why(
    web: Browser, db: Session, here: Study, what: str
) -> None:
    if what == "redacted":
        file = r.redacted(here.release, "a.csv", f.UserFactory(fullname="Quick One"), "Names of people")
    elif what == "waiting":
        file = r.waiting(here.release, "a.csv")
    else:
        file = here.file("a.csv")
        here.storage.delete(file.path)
        place = here.storage.root / file.path
        if what == "a folder":
            place.mkdir()
        if what == "a link":
            place.symlink_to("/etc/passwd")
    web.sign_in(here.checker)
    was = (file.deleted_at, file.deleted_by_id, file.deleted_reason)
    for answer in (web.get(page_of(here, file), status=404), redact(web, here, file, status=404)):
        words = " ".join(answer.html.main.text.split())
        wanted = {
            "redacted": "Quick One redacted it",
            "waiting": "nothing of it is here that could be redacted",
        }.get(what, "its bytes are not in the storage now")
        assert wanted in words
        assert answer.html.main.find("form") is None
        assert answer.html.main.find("a", href=here.address("releases", here.release.id))
    db.refresh(file)
    assert (file.deleted_at, file.deleted_by_id, file.deleted_reason) == was
    assert told(db, "%redacted%") == []


def test_of_two_checkers_at_once_one_redacts_and_the_other_is_told(
    web: Browser, app: Any, db: Session, here: Study
) -> None:
    file = here.file("a.csv")
    people = [f.UserFactory(roles=["OutputChecker"], fullname=f"Checker {name}") for name in "AB"]
    browsers = [Browser(app).sign_in(person) for person in people]
    for browser in browsers:
        browser.get(page_of(here, file))

    def send(number: int) -> Any:
        return redact(browsers[number], here, file, f"Reason {number}", status="*")

    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    # Both have to wait for us, so that neither can be done before the other has begun.
    db.execute(select(ReleaseFile.id).where(ReleaseFile.id == file.id).with_for_update())
    with ThreadPoolExecutor(2) as pool, Session(db.get_bind()) as other:
        sent = pool.map(send, range(2))
        eventually(lambda: (other.scalar(waiting), other.rollback())[0] == 2)
        db.rollback()
        answers = list(sent)
    assert sorted(answer.status_int for answer in answers) == [303, 404]
    first = 0 if answers[0].status_int == 303 else 1
    assert f"{people[first].fullname} redacted it" in " ".join(answers[1 - first].html.main.text.split())
    db.refresh(file)
    assert (file.deleted_by_id, file.deleted_reason) == (people[first].id, f"Reason {first}")
    assert len(told(db, "remove%")) == 1
    assert len(db.scalars(select(AuditableEvent.id)).all()) == 1


def test_sent_twice_it_is_done_once(web: Browser, db: Session, here: Study) -> None:
    file = here.file("a.csv")
    redact(web.sign_in(here.checker), here, file, status=303)
    redact(web, here, file, "Another reason", status=404)
    db.refresh(file)
    assert file.deleted_reason == REASON
    assert len(told(db, "%redacted%")) == 2


# Who may, and under fire


def test_only_output_checkers_may(web: Browser, db: Session, here: Study) -> None:
    file = here.file("a.csv")
    other_roles = [
        "Auditor", "DeploymentAdministrator", "OutputPublisher", "ProjectCollaborator",
        "ServiceAdministrator", "StaffAreaAdministrator", "TechSupport",
    ]  # fmt: skip
    people = [here.developer, here.collaborator, here.stranger, f.UserFactory(roles=other_roles)]
    for person in people:
        web.sign_in(person).get(page_of(here, file), status=403)
        redact(web, here, file, status=403)
    web.reset()
    for answer in (web.get(page_of(here, file)), redact(web, here, file)):
        assert answer.status_int == 303
        assert "/login/" in answer.location
    assert is_untouched(db, file, here.storage)
    redact(web.sign_in(here.checker), here, file, status=303)


def test_every_part_of_the_address_must_fit(web: Browser, db: Session, here: Study) -> None:
    file = here.file("a.csv")
    neighbour = f.WorkspaceFactory(project=here.workspace.project)
    elsewhere = r.place()
    second = r.release(here)
    theirs = here.file("a.csv", release=r.release(elsewhere))
    web.sign_in(here.checker)
    fields = {"reason": REASON, "confirmation": "a.csv"}
    for address in (
        r.address(neighbour, "releases", here.release.id, file.id, "delete"),
        elsewhere.address("releases", here.release.id, file.id, "delete"),
        elsewhere.address("releases", theirs.release_id, file.id, "delete"),
        here.address("releases", theirs.release_id, theirs.id, "delete"),
        here.address("releases", here.release.id, theirs.id, "delete"),
        here.address("releases", second.id, file.id, "delete"),
        here.address("releases", here.release.id, file.id.lower(), "delete"),
        here.address("releases", here.release.id, file.id, "delete", "more"),
        here.address("releases", here.release.id, "x" * 5000, "delete"),
    ):
        web.get(address, status=404)
        # Whatever follows a release may be the name of one of its files, which can be looked at.
        assert web.submit(address, fields, status="*").status_int in {404, 405}
    assert is_untouched(db, file, here.storage)
    assert theirs.deleted_at is None


def test_without_a_token_or_by_another_method_nothing_is_deleted(
    web: Browser, db: Session, here: Study
) -> None:
    file = here.file("a.csv")
    address = page_of(here, file)
    web.sign_in(here.checker).get(address)
    fields = {"reason": REASON, "confirmation": "a.csv"}
    for given in ({}, {"csrfmiddlewaretoken": "x" * 32}, {"csrfmiddlewaretoken": "\0é"}):
        web.post(address, {**fields, **given}, status=400)
    web.get(address, fields, status=200)
    web.head(address, status=200)
    for method in (web.put, web.delete, web.patch):
        assert method(address, status="*").status_int in {400, 405}
    assert is_untouched(db, file, here.storage)


@leaves_files
@pytest.mark.usefixtures("swept")
def test_rubbish_in_the_form_is_never_a_500(web: Browser, db: Session, here: Study) -> None:
    file = here.file("a.csv")
    web.sign_in(here.checker)
    for value in ("\0", "x" * 100_000, "\ufffd", "<script>alert(1)</script>", "\u202e"):
        for fields in ({"reason": value, "confirmation": value}, {"reason[]": value}):
            answer = web.submit(page_of(here, file), fields, status=200)
            assert "<script>alert(1)" not in answer.text
    web.submit(page_of(here, file), [("reason", "a"), ("reason", "b")], status=400)
    assert is_untouched(db, file, here.storage)


def test_a_name_full_of_tricks_is_shown_as_text(web: Browser, db: Session, here: Study) -> None:
    file = here.file("output/<img src=x onerror=alert(1)> \"&'.csv")
    page = web.sign_in(here.checker).get(page_of(here, file))
    assert "<img src=x" not in page.text
    page = redact(web, here, file, "<b>bold</b>", status=303).follow()
    assert "<img src=x" not in page.text
    gone = web.get(page_of(here, file), status=404)
    assert "<b>bold" not in gone.text
    assert "<b>bold</b>" in gone.html.main.text
