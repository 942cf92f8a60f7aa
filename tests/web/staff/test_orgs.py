"""Organisations in the staff area (spec: staff 7, 17.1, 17.11 to 17.14, 17.17, 17.39)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, Org, OrgMembership, Redirect, User, utcnow
from tests import factories as f
from tests.web.conftest import Browser

ORGS = "/staff/orgs/"
ADD = f"{ORGS}add/"


@pytest.fixture
def admin(db: Session) -> User:
    return f.UserFactory(username="staff-1", fullname="Sam Staff", roles=["StaffAreaAdministrator"])


@pytest.fixture
def staff(web: Browser, admin: User) -> Browser:
    """A Staff Area Administrator's browser."""
    return web.sign_in(admin)


@pytest.fixture
def org(db: Session) -> Org:
    return f.OrgFactory(slug="alpha", name="Alpha Institute", github_orgs=["opensafely"])


def events(db: Session, *types: str) -> list[AuditableEvent]:
    found = select(AuditableEvent).order_by(AuditableEvent.id)
    return list(db.scalars(found.where(AuditableEvent.type.in_(types)) if types else found))


def edit_form(staff: Browser, org: Org) -> dict[str, str]:
    """What the edit page would send unchanged."""
    form = staff.get(f"{ORGS}{org.slug}/edit/").html.select_one("#content form")
    sent = {}
    for field in form.select("input, textarea"):
        name = field.get("name")
        if name in {"csrfmiddlewaretoken", "logo"} or (
            field.get("type") == "checkbox" and not field.has_attr("checked")
        ):
            continue
        sent[name] = field.text.strip() if field.name == "textarea" else field.get("value", "")
    return sent


class TestTheList:
    def test_it_counts_members_and_projects_and_ignores_case(
        self, staff: Browser, db: Session, org: Org
    ) -> None:
        f.OrgFactory(slug="beta", name="beta", is_internal=True)
        f.OrgMembershipFactory(org=org)
        f.ProjectFactory(org=org)
        page = staff.get(ORGS).html
        rows = [
            [cell.get_text(" ").split()[0] for cell in row.select("th, td")]
            for row in page.select("#content tbody tr")
        ]
        assert rows == [["Alpha", "opensafely", "1", "1"], ["beta", "opensafely", "0", "0"]]
        assert [
            row.a.text for row in staff.get(f"{ORGS}?kind=internal").html.select("#content tbody th")
        ] == ["beta"]
        assert [row.a.text for row in staff.get(f"{ORGS}?q=alph").html.select("#content tbody th")] == [
            "Alpha Institute"
        ]

    def test_its_cost_does_not_grow(
        self, staff: Browser, db: Session, count_statements: Callable[[], Any]
    ) -> None:
        def cost() -> int:
            with count_statements() as statements:
                staff.get(ORGS)
            return len(statements)

        f.OrgFactory()
        few = cost()
        for _ in range(30):
            f.OrgMembershipFactory()
        assert cost() <= min(few + 1, 12)


class TestAdding:
    def test_the_slug_is_made_of_the_name_and_the_event_written(
        self, staff: Browser, db: Session, admin: User
    ) -> None:
        answer = staff.submit(ADD, {"name": "  Örg  of Things! "}, status=303)
        assert answer.location.endswith("/staff/orgs/org-of-things/")
        org = db.scalars(select(Org)).one()
        assert (org.name, org.slug, org.github_orgs) == ("Örg of Things!", "org-of-things", ["opensafely"])
        assert (org.created_by_id, org.updated_by_id) == (admin.id, admin.id)
        (event,) = events(db)
        assert (event.type, event.created_by, event.target_id) == ("org_created", "staff-1", str(org.id))

    @pytest.mark.parametrize(
        ("name", "fault"),
        [
            ("", "Give the organisation a name."),
            ("   ", "needs at least one visible character"),
            ("!!!", "needs a letter from A to Z or a digit"),
            ("日本", "needs a letter from A to Z or a digit"),
            ("x" * 256, "may have at most 255 characters"),
            ("a\x00b", "no control characters"),
            ("Status", "is taken by a page of this site"),
            ("Uploads", "is taken by a page of this site"),
            ("Add", "is taken by a page of this site"),
            ("alpha institute", "is taken by"),
            ("Alpha!", "is taken by an organisation"),
            ("Study", "is taken by a project"),
        ],
    )
    def test_a_name_that_will_not_do_is_a_fault_of_its_field(
        self, staff: Browser, db: Session, org: Org, name: str, fault: str
    ) -> None:
        f.ProjectFactory(slug="study", org=org)
        before = len(events(db))
        page = staff.submit(ADD, {"name": name}, status=200)
        assert fault in page.html.select_one(".field.bad .err").text
        assert (
            page.html.select_one("[name=name]")["value"] == " ".join(name.split()) or not name.isprintable()
        )
        assert len(events(db)) == before
        assert len(db.scalars(select(Org)).all()) == 1

    def test_a_form_without_its_field_is_a_fault_too(self, staff: Browser, db: Session) -> None:
        assert "Give the organisation a name." in staff.submit(ADD, {}, status=200).text

    @pytest.mark.parametrize(
        ("wanted", "there"),
        [
            ("/staff/projects/create/", "/staff/projects/create/?org-slug=new-one"),
            (
                "/staff/applications/00a1/approve/?x=1&y=%26",
                "/staff/applications/00a1/approve/?x=1&y=%26&org-slug=new-one",
            ),
            ("/a/?org-slug=old", "/a/?org-slug=new-one"),
            ("https://evil.example/", "/staff/orgs/new-one/"),
            ("//evil.example/", "/staff/orgs/new-one/"),
            ("/\\evil.example/", "/staff/orgs/new-one/"),
            ("javascript:alert(1)", "/staff/orgs/new-one/"),
        ],
    )
    @pytest.mark.parametrize("by", ["field", "address"])
    def test_it_leads_on_with_the_new_one_but_never_elsewhere(
        self, staff: Browser, db: Session, by: str, wanted: str, there: str
    ) -> None:
        """17.17."""
        if by == "address":
            page = staff.get(ADD, {"next": wanted})
            wanted = page.html.select_one("[name=next]")["value"]
        answer = staff.submit(ADD, {"name": "New one", "next": wanted}, status=303)
        assert answer.location == f"http://localhost{there}"

    def test_who_may_add_but_not_look_around_ends_on_a_page_that_they_may_see(
        self, web: Browser, db: Session
    ) -> None:
        """17.23."""
        web.sign_in(f.UserFactory(roles=["ServiceAdministrator"]))
        web.get(ADD, status=200)
        web.submit(ADD, {"name": "New one"}, status=303).follow(status=200)

    def test_an_address_that_still_leads_elsewhere_is_taken_over_only_on_purpose(
        self, staff: Browser, db: Session, org: Org, admin: User
    ) -> None:
        """17.11."""
        old = Redirect(org_id=org.id, old_url="/beta/", created_by_id=admin.id)
        db.add(old)
        db.commit()
        page = staff.submit(ADD, {"name": "Beta"}, status=200)
        assert "still lead to “Alpha Institute”" in page.text
        assert page.html.select_one("[name=take_over]") is not None
        staff.submit(ADD, {"name": "Beta", "take_over": "y"}, status=303)
        db.refresh(old)
        assert old.deleted_by_id == admin.id
        assert [event.type for event in events(db, "org_created", "redirect_deleted")] == [
            "redirect_deleted",
            "org_created",
        ]

    def test_one_whose_redirect_has_ended_is_free(
        self, staff: Browser, db: Session, org: Org, admin: User
    ) -> None:
        past = utcnow() - timedelta(days=1)
        db.add(Redirect(org_id=org.id, old_url="/beta/", created_by_id=admin.id, expires_at=past))
        db.commit()
        staff.submit(ADD, {"name": "Beta"}, status=303)


class TestMembers:
    def test_several_are_added_by_name_and_each_is_recorded(
        self, staff: Browser, db: Session, org: Org, admin: User
    ) -> None:
        ann, bob = f.UserFactory(username="Ann"), f.UserFactory(username="bob")
        answer = staff.submit(
            f"{ORGS}alpha/", {"users": "ann\r\nbob, ANN", "last_day": "2099-05-01"}, status=303
        )
        assert "Added to Alpha Institute: Ann, bob." in answer.follow().text
        rows = db.scalars(select(OrgMembership).order_by(OrgMembership.user_id)).all()
        assert [(row.user_id, row.created_by_id) for row in rows] == [(ann.id, admin.id), (bob.id, admin.id)]
        assert [row.ends_at.isoformat() for row in rows] == ["2099-05-01T23:00:00+00:00"] * 2
        assert [(event.target_user, event.parent_id) for event in events(db, "org_member_added")] == [
            ("Ann", str(org.id)),
            ("bob", str(org.id)),
        ]

    @pytest.mark.parametrize(
        ("sent", "fault"),
        [
            ({"users": ""}, "Enter the username of at least one person."),
            ({}, "Enter the username of at least one person."),
            ({"users": "ann nobody-such"}, "Nobody is called nobody-such."),
            ({"users": "ann closed"}, "This account is disabled: closed."),
            ({"users": "7"}, "Nobody is called 7."),
            ({"users": "ann\x00"}, ""),
            ({"users": "<script>alert(1)</script>"}, "Nobody is called"),
            ({"users": " ".join(f"u{n}" for n in range(101))}, "at most 100"),
            ({"users": "ann", "last_day": "2001-01-01"}, "Choose today or a later day."),
            ({"users": "ann", "last_day": "soon"}, "Enter a day as year-month-day"),
        ],
    )
    def test_a_name_that_is_none_is_said_and_nobody_is_added(
        self, staff: Browser, db: Session, org: Org, sent: dict[str, str], fault: str
    ) -> None:
        """17.4."""
        f.UserFactory(username="ann")
        closer = f.UserFactory()
        f.UserFactory(username="closed", disabled_at=utcnow(), disabled_by_id=closer.id)
        if not fault:
            staff.submit(f"{ORGS}alpha/", sent, status=303)
            return
        page = staff.submit(f"{ORGS}alpha/", sent, status=200)
        assert fault in page.html.select_one(".field.bad .err").text
        assert "<script>alert" not in page.text
        assert db.scalars(select(OrgMembership)).all() == []

    def test_who_belongs_already_stays_as_they_are(self, staff: Browser, db: Session, org: Org) -> None:
        member = f.OrgMembershipFactory(org=org, user=f.UserFactory(username="ann"))
        page = staff.submit(f"{ORGS}alpha/", {"users": "ann"}, status=303).follow()
        assert "Belonged to Alpha Institute already: ann." in page.text
        assert db.scalars(select(OrgMembership)).all() == [member]
        assert events(db) == []

    def test_removing_tells_the_truth(self, staff: Browser, db: Session, org: Org) -> None:
        """17.39."""
        f.OrgMembershipFactory(org=org, user=f.UserFactory(username="ann"))
        address = f"{ORGS}alpha/remove-member/"
        page = staff.submit(address, {"username": "ann"}, status=303).follow()
        assert "ann no longer belongs to Alpha Institute." in page.text
        assert db.scalars(select(OrgMembership)).all() == []
        assert [event.target_user for event in events(db)] == ["ann"]
        for name in ("ann", "nobody", "", "x" * 3000, "a\x00b", "<b>"):
            page = staff.submit(address, {"username": name}, status=303).follow()
            assert "Nothing changed." in page.text
            assert "<b>" not in page.html.select_one(".frame-alerts").text or name == "<b>"
        assert len(events(db)) == 1
        staff.get(address, status=405)

    def test_they_come_in_pages(self, staff: Browser, db: Session, org: Org, count_statements: Any) -> None:
        for number in range(60):
            f.OrgMembershipFactory(
                org=org, user=f.UserFactory(username=f"u{number:02}", fullname=f"P{number:02}")
            )
        with count_statements() as statements:
            page = staff.get(f"{ORGS}alpha/")
        assert len(statements) <= 12
        assert len(page.html.select("#content table tbody tr")) == 50
        assert len(staff.get(f"{ORGS}alpha/?page=2").html.select("#content table tbody tr")) == 10
        staff.get(f"{ORGS}alpha/?page=3", status=404)


class TestGithubOrganisations:
    def test_one_is_added_and_removed_and_both_recorded(self, staff: Browser, db: Session, org: Org) -> None:
        staff.submit(f"{ORGS}alpha/add-github-org/", {"name": " data-Lab "}, status=303)
        db.refresh(org)
        assert org.github_orgs == ["opensafely", "data-Lab"]
        staff.submit(f"{ORGS}alpha/remove-github-org/", {"name": "opensafely"}, status=303)
        db.refresh(org)
        assert org.github_orgs == ["data-Lab"]
        assert [event.changes["github_orgs"] for event in events(db, "org_updated")] == [
            [["opensafely"], ["opensafely", "data-Lab"]],
            [["opensafely", "data-Lab"], ["data-Lab"]],
        ]

    @pytest.mark.parametrize("query", ["", "?x=1"])
    @pytest.mark.parametrize(
        ("name", "fault"),
        [
            ("", "Enter the name of a GitHub organisation."),
            ("a b", "letters from A to Z, digits and -"),
            ("a/b", "letters from A to Z, digits and -"),
            ("-a", "letters from A to Z, digits and -"),
            ("ä", "letters from A to Z, digits and -"),
            ("x" * 40, "1 to 39"),
            ("OpenSAFELY", "is one of them already"),
        ],
    )
    def test_a_name_that_will_not_do_is_said_on_the_page(
        self, staff: Browser, db: Session, org: Org, name: str, fault: str, query: str
    ) -> None:
        """17.1."""
        page = staff.submit(f"{ORGS}alpha/add-github-org/{query}", {"name": name}, status=200)
        assert fault in page.html.select_one(".field.bad .err").text
        db.refresh(org)
        assert org.github_orgs == ["opensafely"]

    def test_the_address_of_the_form_can_be_opened(self, staff: Browser, db: Session, org: Org) -> None:
        page = staff.get(f"{ORGS}alpha/add-github-org/", status=200)
        assert page.html.select_one("[name=name]") is not None

    def test_removing_one_that_is_not_there_says_so(self, staff: Browser, db: Session, org: Org) -> None:
        page = staff.submit(f"{ORGS}alpha/remove-github-org/", {"name": "other"}, status=303).follow()
        assert "other is none of the GitHub organisations" in page.text
        assert events(db) == []


class TestEditing:
    def test_only_what_differs_is_written_with_before_and_after(
        self, staff: Browser, db: Session, org: Org, admin: User
    ) -> None:
        sent = edit_form(staff, org) | {
            "description": "Studies things.",
            "output_checking_repo": "alpha/checks",
            "output_checking_channel": "#alpha-outputs",
            "is_internal": "y",
            "has_no_copilots": "y",
        }
        staff.submit(f"{ORGS}alpha/edit/", sent, status=303)
        db.refresh(org)
        assert org.updated_by_id == admin.id
        (event,) = events(db)
        assert event.type == "org_updated"
        assert event.changes == {
            "description": ["", "Studies things."],
            "output_checking_repo": ["", "alpha/checks"],
            "output_checking_channel": ["", "alpha-outputs"],
            "is_internal": [False, True],
            "has_no_copilots": [False, True],
        }
        again = edit_form(staff, org)
        assert "Nothing was changed." in staff.submit(f"{ORGS}alpha/edit/", again, status=303).follow().text
        assert len(events(db)) == 1

    def test_a_new_slug_leaves_the_old_address_behind_and_back_again_leaves_no_loop(
        self, staff: Browser, db: Session, org: Org
    ) -> None:
        """17.11."""
        project = f.ProjectFactory(org=org, slug="study")
        answer = staff.submit(f"{ORGS}alpha/edit/", edit_form(staff, org) | {"slug": "beta"}, status=303)
        assert answer.location.endswith("/staff/orgs/beta/")
        assert staff.get("/alpha/", status=302).location.endswith("/beta/")
        assert staff.get("/alpha/study/", status=302).location.endswith("/beta/study/")
        assert staff.get("/orgs/alpha/", status=301).follow(status=302).location.endswith("/beta/")
        db.refresh(org)
        staff.submit(f"{ORGS}beta/edit/", edit_form(staff, org) | {"slug": "alpha"}, status=303)
        staff.get("/alpha/", status=200)
        staff.get(f"/alpha/{project.slug}/", status=200)
        assert staff.get("/beta/", status=302).location.endswith("/alpha/")
        live = db.scalars(select(Redirect).where(Redirect.deleted_at.is_(None))).all()
        assert [each.old_url for each in live] == ["/beta/"]
        assert [event.type for event in events(db)] == [
            "org_updated",
            "redirect_created",
            "org_updated",
            "redirect_deleted",
            "redirect_created",
        ]

    def test_a_slug_that_is_somebody_elses_old_address_needs_a_tick(
        self, staff: Browser, db: Session, org: Org, admin: User
    ) -> None:
        other = f.OrgFactory(slug="other", name="Other")
        old = Redirect(org_id=other.id, old_url="/beta/", created_by_id=admin.id)
        db.add(old)
        db.commit()
        sent = edit_form(staff, org) | {"slug": "beta"}
        page = staff.submit(f"{ORGS}alpha/edit/", sent, status=200)
        assert "still lead to “Other”" in page.html.select_one(".field.bad .err").text
        db.refresh(org)
        assert org.slug == "alpha"
        staff.submit(f"{ORGS}alpha/edit/", sent | {"take_over": "y"}, status=303)
        db.refresh(old)
        assert old.deleted_at is not None
        assert staff.get("/beta/", status=200)

    @pytest.mark.parametrize(
        ("changes", "fault"),
        [
            ({"name": ""}, "Give the organisation a name."),
            ({"name": "x" * 256}, "at most 255 characters"),
            ({"name": "OTHER"}, "is taken by another organisation"),
            ({"slug": ""}, "Give the organisation a slug."),
            ({"slug": "a b"}, "needs 1 to 255 letters"),
            ({"slug": "x" * 256}, "needs 1 to 255 letters"),
            ({"slug": "../x"}, "needs 1 to 255 letters"),
            ({"slug": "Other-Org"}, "is taken by an organisation"),
            ({"slug": "study"}, "is taken by a project"),
            ({"slug": "staff"}, "is taken by a page of this site"),
            ({"description": "x" * 2001}, "2,000 characters or fewer"),
            ({"output_checking_repo": "https://github.com/a/b"}, "Enter the owner and the name"),
            ({"output_checking_repo": "a/b/c"}, "Enter the owner and the name"),
            ({"output_checking_channel": "two words"}, "Enter the name of a channel"),
        ],
    )
    def test_what_will_not_do_is_said_beside_its_field(
        self, staff: Browser, db: Session, org: Org, changes: dict[str, str], fault: str
    ) -> None:
        f.ProjectFactory(slug="study", org=f.OrgFactory(slug="other-org", name="Other"))
        page = staff.submit(f"{ORGS}alpha/edit/", edit_form(staff, org) | changes, status=200)
        assert fault in page.html.select_one(".field.bad .err").text
        db.refresh(org)
        assert (org.name, org.slug) == ("Alpha Institute", "alpha")
        assert events(db) == []

    def test_an_empty_form_is_faults_and_no_error(self, staff: Browser, db: Session, org: Org) -> None:
        assert "Give the organisation a name." in staff.submit(f"{ORGS}alpha/edit/", {}, status=200).text

    def test_the_second_of_two_editors_is_told_and_sees_both(
        self, staff: Browser, db: Session, org: Org
    ) -> None:
        mine, theirs = edit_form(staff, org), edit_form(staff, org)
        staff.submit(f"{ORGS}alpha/edit/", theirs | {"description": "theirs"}, status=303)
        page = staff.submit(f"{ORGS}alpha/edit/", mine | {"description": "mine", "slug": "beta"}, status=200)
        assert "Sam Staff has changed this since you opened this page. Nothing was saved." in page.text
        both = page.html.select_one("#conflict").parent.parent.text
        assert "theirs" in both
        assert "mine" in both
        db.refresh(org)
        assert (org.slug, org.description) == ("alpha", "theirs")
        sent = mine | {"description": "both", "version": page.html.select_one("[name=version]")["value"]}
        staff.submit(f"{ORGS}alpha/edit/", sent, status=303)
        db.refresh(org)
        assert org.description == "both"


def test_an_auditor_sees_everything_and_no_button(web: Browser, db: Session, org: Org) -> None:
    f.OrgMembershipFactory(org=org, user=f.UserFactory(username="ann"))
    page = web.sign_in(f.UserFactory(roles=["Auditor"])).get(f"{ORGS}alpha/")
    assert "ann" in page.text
    assert page.html.select("#content form") == []
    assert "/edit/" not in page.text
    assert "Add an organisation" not in web.get(ORGS).text
