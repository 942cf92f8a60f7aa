"""The audit log, as those who look after the service read it (spec: staff 8.8, 13.5, 15, 17.28, 17.29)."""

import csv
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from jobserver.actions import memberships, orgs, projects, users
from jobserver.actions.audit import OPERATOR, record
from jobserver.models import AuditableEvent, AuditType, Role, User
from jobserver.queries.staff import audit
from jobserver.templating.trail_kinds import KINDS
from tests import factories as f
from tests.web.conftest import Browser

AUDIT = "/staff/audit/"


@pytest.fixture
def auditor(web: Browser, db: Session) -> Browser:
    """An auditor's browser."""
    return web.sign_in(f.UserFactory(username="auditor-1", roles=["Auditor"]))


@pytest.fixture
def staff(db: Session) -> User:
    """Who does things."""
    return f.UserFactory(username="staff-1", roles=["StaffAreaAdministrator"])


def lines(page: Any) -> list[str]:
    """The events of a page as text: sentence, time, changes, reason."""
    found = re.findall(r'<ol class="events full pad">(.*?)</ol>', page.text, re.DOTALL)
    items = re.findall(r"<li>(.*?)</li>", found[0] if found else "", re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", item).split()) for item in items]


def event(db: Session, **values: Any) -> None:
    """An event of long ago, as it may be stored."""
    db.add(AuditableEvent(**{"type": "project_updated", "created_by": "staff-1", **values}))
    db.commit()


def test_what_was_done_is_said_in_plain_words_with_links(auditor: Browser, db: Session, staff: User) -> None:
    project = f.ProjectFactory(name="Winter uptake", slug="winter")
    ann = f.UserFactory(username="ann")
    memberships.add(db, project, ann, roles=[Role.PROJECT_DEVELOPER], by=staff)
    db.commit()
    page = auditor.get(AUDIT)
    roles, added = lines(page)
    assert roles.startswith("staff-1 changed roles of ann in Winter uptake")
    assert "Roles: + Project Developer" in roles
    assert added.startswith("staff-1 added ann to Winter uptake")
    for href in ("/staff/users/staff-1/", "/staff/users/ann/", "/staff/projects/winter/"):
        assert f'<a href="{href}">' in page.text


def test_links_survive_renames_and_what_is_gone_keeps_its_name(
    auditor: Browser, db: Session, staff: User
) -> None:
    project = f.ProjectFactory(name="Winter", slug="winter")
    org = orgs.create(db, by=staff, name="Gone & Co")
    record(db, AuditType.PROJECT_UPDATED, by=staff, target=project, changes={"name": ("W", "Winter")})
    db.commit()
    project.name, project.slug, staff.username = "Summer", "summer", "staff-9"
    db.delete(org)
    db.commit()
    page = auditor.get(AUDIT)
    edited, created = lines(page)
    assert edited.startswith("staff-1 (now staff-9) edited the project Winter (now Summer)")
    assert created.startswith("staff-1 (now staff-9) created the organisation Gone &amp; Co")
    assert '<a href="/staff/projects/summer/">Winter</a>' in page.text
    assert '<a href="/staff/users/staff-9/">staff-1</a>' in page.text
    assert "gone" not in page.text


def test_before_and_after_reason_and_means_are_shown(auditor: Browser, db: Session, staff: User) -> None:
    db.info["source"] = "command"
    project = f.ProjectFactory(name="Winter")
    record(
        db,
        AuditType.PROJECT_UPDATED,
        by=OPERATOR,
        target=project,
        parent=project,
        changes={"status": ("ongoing", "retired"), "orgs": (["A", "B"], ["B", "C"]), "number": (None, 7)},
        reason="The <study> is over",
    )
    db.commit()
    (line,) = lines(auditor.get(AUDIT))
    assert line.startswith("operator&#39;s command edited the project Winter")
    for part in ("Status: − ongoing + retired", "Organisations: − A + C", "Number: + 7"):
        assert part in line
    assert "Why: The &lt;study&gt; is over" in line
    assert "Made by a command" in line


def test_an_event_of_long_ago_or_of_a_kind_that_we_do_not_know_breaks_nothing(
    auditor: Browser, db: Session
) -> None:
    event(db, type="project_created", target_model="jobserver.Project", target_id="999", created_by="left")
    event(db, target_model="jobserver.Spaceship", target_id="x", parent_model="Nonsense", parent_id="7")
    event(db, changes={"odd": "shape"}, old="a,b", target_field="roles", new="jobserver.x.OutputChecker")
    created = [line for line in lines(auditor.get(AUDIT)) if "created" in line]
    assert created[0].startswith("left created the project a project")
    db.execute(text("ALTER TABLE auditable_event DROP CONSTRAINT ck_auditable_event_type_known"))
    try:
        event(db, type="rocket_launched", target_label="Ariane")
        assert any(line.startswith("staff-1: rocket launched Ariane") for line in lines(auditor.get(AUDIT)))
    finally:
        db.execute(text("TRUNCATE auditable_event"))
        names = ", ".join(f"'{type_.value}'" for type_ in AuditType)
        rule = f"ADD CONSTRAINT ck_auditable_event_type_known CHECK (type IN ({names}))"
        db.execute(text(f"ALTER TABLE auditable_event {rule}"))
        db.commit()


def test_events_are_found_by_person_object_kind_words_means_and_time(
    auditor: Browser, db: Session, staff: User
) -> None:
    ann, bob = f.UserFactory(username="Ann"), f.UserFactory(username="bob")
    winter, summer = f.ProjectFactory(name="Winter-uptake"), f.ProjectFactory(name="Summer")
    memberships.add(db, winter, ann, by=staff)
    memberships.add(db, summer, bob, by=staff)
    users.set_global_roles(db, ann, [Role.OUTPUT_CHECKER], by=bob)
    long_ago = datetime(2020, 6, 30, 23, 30, tzinfo=UTC)
    record(db, AuditType.PROJECT_UPDATED, by=staff, target=summer, at=long_ago)
    db.commit()

    def found(query: str) -> int:
        return len(lines(auditor.get(f"{AUDIT}?{query}")))

    assert found("") == 4
    assert found("person=ann") == 2
    assert found("person=bob") == 2
    assert found("person=nobody") == 0
    assert found(f"object=Project:{winter.id}") == 1
    assert found(f"object=User:{ann.id}") == 1
    assert found("types=project_member_added") == 2
    assert found("types=project_member_added&types=user_updated_roles") == 3
    assert found("q=uptake") == 1
    assert found("q=%25%25") == 0
    assert found("source=service") == 4
    assert found("source=browser") == 0
    # By London's clock it was July already.
    assert found("from=2020-07-01&to=2020-07-01") == 1
    assert found("to=2020-06-30") == 0
    assert found("person=bob&types=project_member_added&from=2020-01-01") == 1


@pytest.mark.parametrize(
    "odd",
    ["types=rocket", "source=pigeon", "object=7", "from=yesterday", "to=2026-02-30", "person=" + "x" * 300],
)
def test_what_cannot_be_meant_is_said_beside_its_field(
    auditor: Browser, db: Session, staff: User, odd: str
) -> None:
    event(db)
    page = auditor.get(f"{AUDIT}?{odd}")
    assert lines(page) == []
    assert 'class="err"' in page.text
    auditor.get(f"{AUDIT}?{odd}&format=csv", status=400)


def test_newest_come_first_page_by_page_and_as_a_file(auditor: Browser, db: Session) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    for number in (3, 1, 2, *range(4, 31)):
        event(db, target_label=f"P{number:02}", created_at=first + timedelta(days=number))
    page = auditor.get(AUDIT)
    older = auditor.get(AUDIT + re.search(r'href="(\?after=[^"]+)"', page.text)[1])  # type: ignore[index]
    told = [re.search(r"P(\d\d)", line)[1] for line in [*lines(page), *lines(older)]]  # type: ignore[index]
    assert told == [f"{number:02}" for number in range(30, 0, -1)]
    rows = list(csv.reader(auditor.get(f"{AUDIT}?format=csv").text.splitlines()))
    assert rows[0] == ["time", "type", "what", "by", "person", "changes", "reason", "source"]
    assert rows[1][:4] == [
        "2026-01-31T00:00:00+00:00",
        "project_updated",
        "staff-1 edited the project P30",
        "staff-1",
    ]
    assert len(rows) == 31


def test_a_page_takes_the_same_few_statements_whatever_it_speaks_of(
    auditor: Browser, db: Session, staff: User, count_statements: Any
) -> None:
    everything(db, staff)
    with count_statements() as seen:
        assert len(lines(auditor.get(AUDIT))) >= 10
    assert len(seen) <= 12


def everything(db: Session, staff: User) -> None:
    """An event about a thing of each kind."""
    workspace = f.WorkspaceFactory()
    things = [
        workspace,
        workspace.project,
        workspace.repo,
        workspace.project.org,
        f.JobRequestFactory(workspace=workspace),
        f.BackendFactory(),
        f.ReleaseFactory(workspace=workspace),
        f.SnapshotFactory(workspace=workspace),
        f.UserFactory(),
    ]
    for thing in things:
        record(db, AuditType.PROJECT_UPDATED, by=staff, target=thing, parent=workspace)
    event(db, target_user="somebody")
    db.commit()


def test_each_thing_leads_to_its_page(auditor: Browser, db: Session, staff: User) -> None:
    everything(db, staff)
    page = auditor.get(AUDIT).text
    for href in re.findall(r'<a href="(/[^"]*)">', page[page.index('class="events full pad"') :]):
        if href.split("/")[1] != "staff" or "undefined" in href:
            auditor.get(href, status=[200, 403, 404])
    for part in (
        "/staff/repos/opensafely/",
        "/staff/job-requests/",
        "/staff/backends/",
        "/releases/",
        "/outputs/",
    ):
        assert part in page


class TestOfOnePerson:
    def test_what_they_did_and_what_was_done_to_them(
        self, auditor: Browser, db: Session, staff: User
    ) -> None:
        ann, project = f.UserFactory(username="ann"), f.ProjectFactory()
        memberships.add(db, project, ann, by=staff)
        users.set_global_roles(db, f.UserFactory(), [Role.OUTPUT_CHECKER], by=ann)
        users.set_global_roles(db, f.UserFactory(), [Role.OUTPUT_CHECKER], by=staff)
        db.commit()
        page = auditor.get("/staff/users/ann/audit-log/")
        assert len(lines(page)) == 2
        assert len(lines(auditor.get("/staff/users/ann/audit-log/?types=project_member_added"))) == 1
        assert "listed here" in auditor.get("/staff/users/ann/audit-log/?types=nonsense").text
        auditor.get("/staff/users/nobody/audit-log/", status=404)

    def test_the_newest_for_the_aside(self, db: Session, staff: User) -> None:
        ann, project = f.UserFactory(username="ann"), f.ProjectFactory()
        memberships.add(db, project, ann, by=staff)
        for role in GLOBAL[:6]:
            users.set_global_roles(db, f.UserFactory(), [role], by=ann)
        db.commit()
        told = audit.recent_of_user(db, ann)
        assert [each.type for each in told] == ["user_updated_roles"] * 5
        assert "project_member_added" in {each.type for each in audit.recent_of_user(db, ann, 10)}


GLOBAL = [Role.OUTPUT_CHECKER, Role.OUTPUT_PUBLISHER, Role.TECH_SUPPORT, Role.AUDITOR, *list(Role)[:2]]


class TestOfOneProject:
    def test_what_was_done_to_it_and_its_members(self, auditor: Browser, db: Session, staff: User) -> None:
        project = projects.create(db, by=staff, name="Mine", org=f.OrgFactory())
        memberships.add(db, project, f.UserFactory(), by=staff)
        memberships.add(db, f.ProjectFactory(), f.UserFactory(), by=staff)
        db.commit()
        page = auditor.get("/staff/projects/mine/audit-log/")
        assert [each.split()[1] for each in lines(page)] == ["added", "created"]
        assert len(lines(auditor.get("/staff/projects/mine/audit-log/?types=project_created"))) == 1
        assert [each.type for each in audit.recent(db, "Project", project.id)] == [
            "project_member_added",
            "project_created",
        ]


def test_every_kind_of_event_has_a_sentence_with_what_it_is_about() -> None:
    assert set(KINDS) == set(AuditType)
    # Each can be told from the others where it stands alone, as the name of a filter.
    assert len({kind.label for kind in KINDS.values()}) == len(KINDS)
    for kind in KINDS.values():
        assert kind.words.startswith("{actor}")
        assert all((kind.label, kind.group, kind.icon))


@pytest.mark.parametrize("type_", AuditType)
def test_every_sentence_can_be_shown(auditor: Browser, db: Session, type_: AuditType) -> None:
    event(db, type=type_, target_model="jobserver.Project", target_user="ann", old="a", new="b")
    (line,) = lines(auditor.get(AUDIT))
    assert line.startswith("staff-1 ")
