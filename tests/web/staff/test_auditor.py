"""An auditor reads everything in the staff area and changes nothing (spec: staff 1.1)."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, Base, Project, Redirect, Role
from jobserver.security.permissions import Permission
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.staff.test_permissions import TABLE, status

SHOWN = [
    (path, method) for path, method, asked in TABLE if method == "GET" and asked == Permission.STAFF_AREA_VIEW
]
REFUSED = [(path, method) for path, method, _ in TABLE if (path, method) not in SHOWN]
# A description of where it has moved to would be as well.
FINE = {200, 302}


@pytest.fixture
def auditor(web: Browser, db: Session) -> Browser:
    """An auditor's browser, where the things are there that the table names."""
    nobody = f.UserFactory(username="nobody")
    f.OrgFactory(slug="nowhere")
    project: Project = f.ProjectFactory(slug="nowhere", created_by=nobody)
    f.ProjectMembershipFactory(id=999999, project=project, user=nobody)
    repo = f.RepoFactory(url="https://github.com/nobody/nowhere")
    workspace = f.WorkspaceFactory(name="nowhere", project=project, repo=repo)
    f.JobRequestFactory(id=999999, workspace=workspace)
    f.BackendFactory(id=999999)
    f.SiteAlertFactory(id=999999)
    f.ApplicationFactory(id=1, created_by=nobody)
    db.add(Redirect(id=999999, project_id=project.id, old_url="/old/", created_by_id=nobody.id))
    db.commit()
    return web.sign_in(f.UserFactory(username="auditor-1", roles=[Role.AUDITOR]))


def counts(db: Session) -> dict[str, int]:
    """How many rows each table has."""
    db.rollback()
    return {
        table.name: db.scalar(select(func.count()).select_from(table)) or 0
        for table in Base.metadata.sorted_tables
    }


def test_every_page_that_shows_something_opens(auditor: Browser) -> None:
    wrong = [(path, found) for path, method in SHOWN if (found := status(auditor, path, method)) not in FINE]
    assert wrong == []


def test_every_form_and_every_change_is_refused(auditor: Browser, db: Session) -> None:
    before = counts(db)
    wrong = [(path, method) for path, method in REFUSED if status(auditor, path, method) != 403]
    assert wrong == []
    assert counts(db) == before
    assert db.scalar(select(AuditableEvent)) is None


def test_no_page_offers_what_would_be_refused(auditor: Browser) -> None:
    """Buttons and links to forms are only for those who may use them."""
    refused = {(f"/staff/{path}", method) for path, method in REFUSED}
    for path, _ in SHOWN:
        here = f"/staff/{path}"
        page = auditor.get(here, status="*")
        if page.status_int != 200:
            continue
        links = {(each["href"].split("?")[0], "GET") for each in page.html.select("a[href]")}
        forms = {(each.get("action") or here, "POST") for each in page.html.select("form[method=post]")}
        assert not (links | forms) & refused, path
