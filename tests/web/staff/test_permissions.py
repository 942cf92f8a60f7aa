"""Who may open which page of the staff area, from the table of the specification as data (spec: access 2.2).

``permissions.csv`` is that table. Reading is apart there (``staff_area_view``), for the auditor (spec: staff 1.1).
"""

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.models.choices import GLOBAL_ROLES, Role
from jobserver.resources import staff
from jobserver.security.permissions import Permission
from jobserver.security.roles import ROLES
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.test_promises import our_views

with (Path(__file__).parent / "permissions.csv").open() as file:
    TABLE = [(row["path"], row["method"], Permission(row["permission"])) for row in csv.DictReader(file)]
ACCOUNTS: list[list[Role]] = [[], *[[role] for role in GLOBAL_ROLES]]


def status(web: Browser, path: str, method: str) -> int:
    """What the page answers."""
    address = f"/staff/{path}"
    answer = web.get(address, status="*") if method == "GET" else web.submit(address, status="*")
    return int(answer.status_int)


@pytest.mark.parametrize("roles", ACCOUNTS, ids=lambda roles: roles[0] if roles else "no role")
def test_each_role_opens_what_the_table_says_and_nothing_else(
    web: Browser, db: Session, roles: list[Role]
) -> None:
    project = f.ProjectFactory()
    member = f.UserFactory(roles=roles)
    f.ProjectMembershipFactory(
        user=member, project=project, roles=["ProjectDeveloper", "ProjectCollaborator"]
    )
    web.sign_in(member)
    held = {permission for role in roles for permission in ROLES[role].permissions}
    wrong = []
    for path, method, permission in TABLE:
        if path == "sentry/error" and permission in held:
            continue
        found = status(web, path, method)
        # There is no such thing, which only those learn who may ask.
        expected = {200, 302, 303, 400, 404} if permission in held else {403}
        if found not in expected:
            wrong.append((path, method, permission, found))
    assert wrong == []


def test_who_is_not_signed_in_is_asked_to_do_so(web: Browser, db: Session) -> None:
    for path, method, _ in TABLE:
        assert status(web, path, method) in {302, 303}, path


def test_every_page_of_the_staff_area_is_in_the_table(app: Any) -> None:
    listed = {(_name(path), method) for path, method, _ in TABLE}
    for view in our_views(app):
        context = view["context"]
        if not isinstance(context, type) or context.__module__ != staff.__name__:
            continue
        methods = view["request_methods"] or "GET"
        for method in [methods] if isinstance(methods, str) else methods:
            assert (view["name"], method) in listed, context.__name__


def _name(path: str) -> str:
    last = path.strip("/").split("/")[-1]
    is_thing = re.fullmatch(r"[0-9]+|0001|nobody|nowhere", last) or path in {
        f"{name}/" for name in staff.CHILDREN
    }
    return "" if is_thing or not path else last
