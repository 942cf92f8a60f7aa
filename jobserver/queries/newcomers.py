"""The way from signing in to the first output: what somebody has, and what is missing (spec: pages 30.7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobserver.queries.asking import givers_of_project_roles, givers_of_the_rest
from jobserver.queries.home import MyProject, MyWorkspace
from jobserver.security import roles
from jobserver.security.identity import Identity
from jobserver.security.permissions import Permission


@dataclass(frozen=True)
class Step:
    """One thing on the way. ``word`` is the one to explain; ``ask`` says who gives what is missing.

    ``path`` are the names along the path of the page on which somebody does it themselves, ``does`` what its
    button says.
    """

    name: str
    word: str
    is_done: bool
    explanation: str
    ask: str = ""
    path: tuple[str, ...] = ()
    does: str = ""
    comes_later: bool = False


def steps(
    identity: Identity,
    *,
    projects: Sequence[MyProject],
    workspaces: Sequence[MyWorkspace],
    has_backend: bool,
    can_run: bool,
    has_requested: bool,
    has_output: bool,
) -> list[Step]:
    """Every step in order. ``can_run``: on one of the person's backends jobs can be asked for just now."""
    creates = next((project for project in projects if _allows(project, Permission.WORKSPACE_CREATE)), None)
    runs = next((row for row in workspaces if row.may_run), None)
    return [
        Step("Sign in", "", True, f"You are signed in as {identity.username}."),
        Step(
            "Belong to an organisation",
            "organisation",
            bool(identity.org_ids),
            "Projects belong to organisations.",
            ask=givers_of_the_rest(),
        ),
        _role(identity),
        Step(
            "Have a backend",
            "backend",
            has_backend,
            "You may not run jobs on any backend yet.",
            ask=givers_of_the_rest(),
        ),
        Step(
            "Have a workspace",
            "workspace",
            bool(workspaces),
            "Your projects have none in use." if projects else "It needs a project first.",
            ask="" if creates or not projects else "a Project Developer of the project",
            path=(*creates.path, "new-workspace") if creates else (),
            does="New workspace",
        ),
        Step(
            "Make your first job request",
            "job request",
            has_requested,
            "Open a workspace, choose actions and a backend." if runs else "It needs all of the above.",
            path=(*runs.path, "run-jobs") if runs and can_run else (),
            does="Run jobs",
        ),
        Step(
            "Get your first output released",
            "release",
            has_output,
            "This comes later: what your jobs make stays in the backend until output checkers "
            "have looked at it and released it.",
            comes_later=True,
        ),
    ]


def _role(identity: Identity) -> Step:
    may_run = any(
        Permission.JOB_RUN in roles.session_permissions(role)
        for held in identity.project_roles.values()
        for role in held
    )
    if identity.project_roles:
        explanation = "You are a member of a project, but no role of yours there lets you run jobs."
    else:
        explanation = "You are not a member of any project."
    return Step(
        "Be a Project Developer of a project", "project", may_run, explanation, ask=givers_of_project_roles()
    )


def _allows(project: MyProject, permission: Permission) -> bool:
    return any(permission in roles.session_permissions(role) for role in project.roles)
