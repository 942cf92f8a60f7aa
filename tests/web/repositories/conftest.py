"""A repository of two projects, known to (simulated) GitHub, and people who may and may not sign it off."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from jobserver.models import Project, Repo, User, Workspace
from tests import factories as f
from tests.web.conftest import Browser

PAGE = "/repo/demo-university/asthma-study/"
SIGN_OFF = f"{PAGE}sign-off/"


@dataclass
class Study:
    """The repository; ``ada`` is a member, without any role, of the first of its two projects."""

    repo: Repo
    project: Project
    main: Workspace
    other: Workspace
    ada: User


@pytest.fixture
def study(db: Session) -> Study:
    """Two workspaces, neither of them signed off, on a branch that GitHub has and on one that it has not."""
    repo = f.RepoFactory(url="https://github.com/demo-university/asthma-study", is_private=True)
    org = f.OrgFactory(slug="uni", github_orgs=["demo-university"])
    project = f.ProjectFactory(org=org, slug="asthma", name="Asthma", number="7")
    ada = f.UserFactory(username="ada", fullname="Ada Hale", email="ada@example.com")
    f.ProjectMembershipFactory(project=project, user=ada)
    main = f.WorkspaceFactory(
        project=project, repo=repo, name="asthma-main", branch="main", purpose="All", created_by=ada
    )
    other = f.WorkspaceFactory(repo=repo, name="asthma-old", branch="gone", is_archived=True)
    return Study(repo, project, main, other, ada)


@pytest.fixture
def ada(web: Browser, study: Study) -> Browser:
    """Ada's browser; GitHub cannot be reached."""
    return web.sign_in(study.ada)


@pytest.fixture
def online(world: Any, world_web: Browser, world_app: Any, study: Study) -> Iterator[Browser]:
    """Ada's browser beside (simulated) GitHub, of which nothing is remembered."""
    world_app.registry.pop("branch_lists", None)
    world.control(clear=["requests"])
    yield world_web.sign_in(study.ada)
    world_app.registry.pop("branch_lists", None)


def tasks(db: Session) -> list[tuple[str, dict[str, Any]]]:
    """What the queue was asked for, but for looking at repositories."""
    db.rollback()
    rows = db.execute(text("SELECT task_name, args FROM procrastinate_jobs ORDER BY task_name, id"))
    return [(name, args) for name, args in rows if name != "check_repository"]
