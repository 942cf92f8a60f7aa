"""Old addresses in the staff area (spec: staff 9, 17.11, 17.15)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, Org, Redirect, User, utcnow
from tests import factories as f
from tests.web.conftest import Browser

REDIRECTS = "/staff/redirects/"
ADD = f"{REDIRECTS}add/"


@pytest.fixture
def admin(db: Session) -> User:
    return f.UserFactory(username="staff-1", fullname="Sam Staff", roles=["StaffAreaAdministrator"])


@pytest.fixture
def staff(web: Browser, admin: User) -> Browser:
    """A Staff Area Administrator's browser."""
    return web.sign_in(admin)


@pytest.fixture
def org(db: Session) -> Org:
    return f.OrgFactory(slug="alpha", name="Alpha Institute")


def redirect(
    db: Session, admin: User, org: Org, old_url: str = "/old/", *, days: int = 100, **more: Any
) -> Redirect:
    made = Redirect(
        org_id=org.id,
        old_url=old_url,
        created_by_id=admin.id,
        expires_at=utcnow() + timedelta(days=days),
        **more,
    )
    db.add(made)
    db.commit()
    return made


def events(db: Session) -> list[AuditableEvent]:
    return list(db.scalars(select(AuditableEvent).order_by(AuditableEvent.id)))


def old_urls(page: Any) -> list[str]:
    return [row.a.text for row in page.html.select("#content tbody th")]


def test_the_list_tells_kinds_and_states_apart_and_leaves_out_what_was_deleted(
    staff: Browser, db: Session, admin: User, org: Org
) -> None:
    project = f.ProjectFactory(org=org, slug="study", name="A Study")
    workspace = f.WorkspaceFactory(project=project, name="uptake")
    redirect(db, admin, org, "/old-org/")
    redirect(db, admin, org, "/gone/", deleted_at=utcnow(), deleted_by_id=admin.id)
    db.add(Redirect(project_id=project.id, old_url="/alpha/old-study/", created_by_id=admin.id))
    past = utcnow() - timedelta(days=1)
    db.add(
        Redirect(
            workspace_id=workspace.id, old_url="/alpha/study/old/", created_by_id=admin.id, expires_at=past
        )
    )
    db.commit()
    assert set(old_urls(staff.get(REDIRECTS))) == {"/old-org/", "/alpha/old-study/", "/alpha/study/old/"}
    assert old_urls(staff.get(f"{REDIRECTS}?type=org")) == ["/old-org/"]
    assert set(old_urls(staff.get(f"{REDIRECTS}?type=org&type=project"))) == {
        "/old-org/",
        "/alpha/old-study/",
    }
    assert old_urls(staff.get(f"{REDIRECTS}?state=expired")) == ["/alpha/study/old/"]
    assert old_urls(staff.get(f"{REDIRECTS}?type=workspace&state=live")) == []
    for q in ("uptake", "A%20Study", "old-org"):
        assert len(old_urls(staff.get(f"{REDIRECTS}?q={q}"))) == 1, q
    assert len(old_urls(staff.get(f"{REDIRECTS}?q=Sam"))) == 3
    assert "/alpha/study/uptake/" in staff.get(f"{REDIRECTS}?format=csv").text
    page = staff.get(REDIRECTS)
    for link in ("/staff/orgs/alpha/", "/staff/projects/study/", "/staff/workspaces/uptake/"):
        assert f'href="{link}"' in page.text


def test_a_kind_that_is_none_is_a_fault_and_no_error(staff: Browser, db: Session) -> None:
    """17.6."""
    assert "listed here" in staff.get(f"{REDIRECTS}?type=x", status=200).text


def test_the_list_costs_the_same_however_long_it_is(
    staff: Browser, db: Session, admin: User, org: Org, count_statements: Callable[[], Any]
) -> None:
    def cost() -> int:
        with count_statements() as statements:
            staff.get(REDIRECTS)
        return len(statements)

    redirect(db, admin, org)
    few = cost()
    for number in range(30):
        redirect(db, admin, f.OrgFactory(), f"/old-{number}/")
    assert cost() <= min(few + 1, 12)


def test_its_page_says_from_where_to_where(staff: Browser, db: Session, admin: User, org: Org) -> None:
    made = redirect(db, admin, org)
    page = staff.get(f"{REDIRECTS}{made.id}/")
    for words in ("/old/", "Alpha Institute", "Sam Staff", 'href="/alpha/"', 'href="/staff/orgs/alpha/"'):
        assert words in page.text
    ended = redirect(db, admin, org, "/older/", days=-1)
    assert "It leads nowhere any more." in staff.get(f"{REDIRECTS}{ended.id}/").text
    for nonsense in ("0", "x", "999999999", "-1", "1e3", "%EF%BC%99"):
        staff.get(f"{REDIRECTS}{nonsense}/", status=404)


def test_deleting_asks_first_and_keeps_the_row_with_who_did_it(
    staff: Browser, db: Session, admin: User, org: Org
) -> None:
    """17.15."""
    made = redirect(db, admin, org)
    staff.get("/old/", status=302)
    assert "Delete this redirect?" in staff.get(f"{REDIRECTS}{made.id}/delete/").text
    page = staff.submit(f"{REDIRECTS}{made.id}/delete/", status=303).follow()
    assert "Deleted the redirect from /old/ to Alpha Institute." in page.text
    db.refresh(made)
    assert (made.deleted_by_id, made.deleted_at is not None) == (admin.id, True)
    (event,) = events(db)
    assert (event.type, event.target_label, event.parent_id) == ("redirect_deleted", "/old/", str(org.id))
    staff.get("/old/", status=404)
    for path in ("", "delete/"):
        staff.get(f"{REDIRECTS}{made.id}/{path}", status=404)
    staff.submit(f"{REDIRECTS}{made.id}/delete/", status=404)


def version(staff: Browser, made: Redirect) -> dict[str, str]:
    page = staff.get(f"{REDIRECTS}{made.id}/").html
    return {"version": page.select_one("[name=version]")["value"]}


def test_keeping_it_for_a_year_more_counts_once_however_often_it_is_pressed(
    staff: Browser, db: Session, admin: User, org: Org
) -> None:
    made = redirect(db, admin, org, days=100)
    before, sent = made.expires_at, version(staff, made)
    staff.submit(f"{REDIRECTS}{made.id}/extend/", sent, status=303)
    page = staff.submit(f"{REDIRECTS}{made.id}/extend/", sent, status=303).follow()
    assert "Nothing was changed now." in page.text
    db.refresh(made)
    assert made.expires_at == before + timedelta(days=365)
    (event,) = events(db)
    assert event.type == "redirect_updated"
    assert event.changes["expires_at"][0] == before.isoformat(timespec="minutes")
    staff.submit(f"{REDIRECTS}{made.id}/extend/", {}, status=303)
    staff.get(f"{REDIRECTS}{made.id}/extend/", status=405)
    assert len(events(db)) == 1


def test_one_that_had_ended_leads_again(staff: Browser, db: Session, admin: User, org: Org) -> None:
    made = redirect(db, admin, org, days=-30)
    staff.get("/old/", status=404)
    staff.submit(f"{REDIRECTS}{made.id}/extend/", version(staff, made), status=303)
    assert staff.get("/old/", status=302).location.endswith("/alpha/")
    db.refresh(made)
    assert made.expires_at > utcnow() + timedelta(days=364)


def test_two_never_lead_from_the_same_address(staff: Browser, db: Session, admin: User, org: Org) -> None:
    ended = redirect(db, admin, org, days=-30)
    redirect(db, admin, f.OrgFactory(name="Beta"), days=30)
    page = staff.submit(f"{REDIRECTS}{ended.id}/extend/", version(staff, ended), status=303).follow()
    assert "This address leads to “Beta” already." in page.text
    db.refresh(ended)
    assert ended.expires_at < utcnow()


class TestByHand:
    @pytest.mark.parametrize(
        ("old", "target", "kind"),
        [
            ("/old/", "/alpha/", "org_id"),
            ("old", "http://localhost/alpha/", "org_id"),
            ("http://localhost/old", "/alpha/study", "project_id"),
            ("/orgs/old/", "/alpha/study/uptake/", "workspace_id"),
        ],
    )
    def test_it_leads_to_a_page_of_any_kind(
        self, staff: Browser, db: Session, org: Org, old: str, target: str, kind: str
    ) -> None:
        project = f.ProjectFactory(org=org, slug="study")
        f.WorkspaceFactory(project=project, name="uptake")
        answer = staff.submit(ADD, {"old_url": old, "target": target}, status=303)
        made = db.scalars(select(Redirect)).one()
        assert made.old_url == "/old/"
        assert getattr(made, kind) is not None
        assert answer.location.endswith(f"{REDIRECTS}{made.id}/")
        assert made.expires_at > utcnow() + timedelta(days=364)
        leads = staff.get("/old/", status=302).location
        assert leads.rstrip("/").endswith(target.replace("http://localhost", "").rstrip("/"))
        (event,) = events(db)
        assert (event.type, event.created_by, event.new) == ("redirect_created", "staff-1", "/old/")

    def test_an_old_address_may_be_percent_encoded(self, staff: Browser, db: Session, org: Org) -> None:
        staff.submit(ADD, {"old_url": "/%C3%BCber/a%20b/", "target": "/alpha/"}, status=303)
        assert db.scalars(select(Redirect.old_url)).one() == "/über/a b/"
        assert staff.get("/%C3%BCber/a%20b/", status=302).location.endswith("/alpha/")

    @pytest.mark.parametrize(
        ("sent", "fault"),
        [
            ({}, "Enter the old address."),
            ({"old_url": "", "target": ""}, "Enter the old address."),
            ({"old_url": "/"}, "Enter a path of this site"),
            ({"old_url": "//evil.example/"}, "Enter a path of this site"),
            ({"old_url": "https://evil.example/x/"}, "Enter a path of this site"),
            ({"old_url": "javascript:alert(1)"}, "Enter a path of this site"),
            ({"old_url": "/a/?x=1"}, "Enter a path of this site"),
            ({"old_url": "/a/#b"}, "Enter a path of this site"),
            ({"old_url": "/a//b/"}, "Enter a path of this site"),
            ({"old_url": "/a/%00/"}, "Enter a path of this site"),
            ({"old_url": "/a%2Fb/"}, "Enter a path of this site"),
            ({"old_url": "http://[bad"}, "Enter a path of this site"),
            ({"old_url": "/../a/"}, "Enter the path of one page"),
            ({"old_url": "/" + "x" * 600 + "/"}, "Enter the path of one page"),
            ({"old_url": "/" + "x" * 2001}, "Shorten this to 2,000 characters or fewer."),
            ({"old_url": "/staff/x/"}, "belong to the site itself"),
            ({"old_url": "/API/v2/"}, "belong to the site itself"),
            ({"old_url": "/login/"}, "belong to the site itself"),
            ({"old_url": "/alpha/"}, "There is a page at this address."),
            ({"old_url": "/alpha/study/"}, "There is a page at this address."),
            ({"old_url": "/study/x/"}, "There is a page at this address."),
            ({"old_url": "/taken/"}, "This address leads to “Alpha Institute” already."),
            ({"target": "/nowhere/"}, "No organisation, project or workspace"),
            ({"target": "/alpha/nowhere/"}, "No organisation, project or workspace"),
            ({"target": "/stranger/study/"}, "No organisation, project or workspace"),
            ({"target": "/staff/"}, "No organisation, project or workspace"),
            ({"target": "https://evil.example/alpha/"}, "No organisation, project or workspace"),
            ({"target": "//evil.example/alpha/"}, "No organisation, project or workspace"),
            ({"target": "7"}, "No organisation, project or workspace"),
            ({"target": "/a/\x00/"}, "No organisation, project or workspace"),
        ],
    )
    def test_what_will_not_do_is_said_beside_its_field_and_kept(
        self, staff: Browser, db: Session, admin: User, org: Org, sent: dict[str, str], fault: str
    ) -> None:
        f.ProjectFactory(org=org, slug="study")
        f.OrgFactory(slug="stranger")
        redirect(db, admin, org, "/taken/")
        whole = {"old_url": "/free/", "target": "/alpha/", **sent} if sent else {}
        page = staff.submit(ADD, whole, status=200)
        assert fault in page.html.select_one(".field.bad .err").text
        assert len(db.scalars(select(Redirect)).all()) == 1
        assert events(db) == []
        for name, value in sent.items():
            if value.isprintable():
                assert page.html.select_one(f"[name={name}]").get("value", "") == value


def test_an_auditor_sees_it_and_no_button(web: Browser, db: Session, admin: User, org: Org) -> None:
    made = redirect(db, admin, org)
    page = web.sign_in(f.UserFactory(roles=["Auditor"])).get(f"{REDIRECTS}{made.id}/")
    assert "/old/" in page.text
    assert page.html.select("#content form") == []
    assert "/delete/" not in page.text
    assert "Add a redirect" not in web.get(REDIRECTS).text
