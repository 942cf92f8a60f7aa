"""The one table of roles and what they allow (spec: access 1.2 to 1.4, 7.3).

ACLs on the tree and the SQL behind lists are both made from it, so they cannot disagree.
"""

from dataclasses import dataclass

from jobserver.models.choices import Role
from jobserver.security.permissions import Permission


@dataclass(frozen=True)
class RoleInfo:
    """A role's display name, what it is for, and what it allows."""

    name: str
    description: str
    permissions: frozenset[Permission]


def _role(name: str, description: str, *permissions: Permission) -> RoleInfo:
    granted = set(permissions)
    # Whoever may see released files may see drafts made of them.
    if Permission.RELEASE_FILE_VIEW in granted:
        granted.add(Permission.SNAPSHOT_VIEW)
    if Permission.APPLICATION_MANAGE in granted:
        granted.add(Permission.APPLICATION_ACCESS)
    return RoleInfo(name, description, frozenset(granted))


ROLES: dict[Role, RoleInfo] = {
    Role.AUDITOR: _role(
        "Auditor",
        "Looks at all of the staff area, its audit log included, and at released files; changes nothing",
        Permission.RELEASE_FILE_VIEW,
        Permission.STAFF_AREA_VIEW,
    ),
    Role.DEPLOYMENT_ADMINISTRATOR: _role(
        "Deployment Administrator",
        "Runs and cancels jobs on any project for maintenance; looks at every workspace in Airlock",
        Permission.AIRLOCK_READONLY_ACCESS,
        Permission.JOB_CANCEL,
        Permission.JOB_RUN,
    ),
    Role.OUTPUT_CHECKER: _role(
        "Output Checker",
        "Reviews outputs: sees, uploads and deletes released files of any project",
        Permission.RELEASE_FILE_DELETE,
        Permission.RELEASE_FILE_UPLOAD,
        Permission.RELEASE_FILE_VIEW,
        Permission.UNRELEASED_OUTPUTS_VIEW,
    ),
    Role.OUTPUT_PUBLISHER: _role(
        "Output Publisher", "Decides whether a draft becomes public", Permission.SNAPSHOT_PUBLISH
    ),
    Role.PROJECT_COLLABORATOR: _role(
        "Project Collaborator", "Looks at released files", Permission.RELEASE_FILE_VIEW
    ),
    Role.PROJECT_DEVELOPER: _role(
        "Project Developer",
        "Runs and cancels jobs, creates and archives workspaces, sees released files, prepares drafts",
        Permission.JOB_CANCEL,
        Permission.JOB_RUN,
        Permission.PROJECT_MANAGE,
        Permission.RELEASE_FILE_VIEW,
        Permission.SNAPSHOT_CREATE,
        Permission.UNRELEASED_OUTPUTS_VIEW,
        Permission.WORKSPACE_ARCHIVE,
        Permission.WORKSPACE_CREATE,
        Permission.WORKSPACE_TOGGLE_NOTIFICATIONS,
    ),
    Role.SERVICE_ADMINISTRATOR: _role(
        "Service Administrator",
        "Creates organisations and projects, links applications, manages project members",
        Permission.ORG_CREATE,
        Permission.PROJECT_CREATE,
        Permission.PROJECT_LINK_TO_APPLICATION,
        Permission.USER_EDIT_PROJECT_ROLES,
    ),
    Role.SIGN_OFF_REPO_WITH_OUTPUTS: _role(
        "Sign Off Repos with Outputs",
        "Signs off repositories whose outputs are on GitHub",
        Permission.REPO_SIGN_OFF_WITH_OUTPUTS,
    ),
    Role.STAFF_AREA_ADMINISTRATOR: _role(
        "Staff Area Administrator",
        "Runs the staff area: applications, backends, organisations, users and their roles",
        Permission.APPLICATION_MANAGE,
        Permission.BACKEND_MANAGE,
        Permission.ORG_CREATE,
        Permission.STAFF_AREA_ACCESS,
        Permission.STAFF_AREA_VIEW,
        Permission.USER_MANAGE,
    ),
    Role.TECH_SUPPORT: _role(
        "Tech Support",
        "Creates projects, manages project members, looks at released files of any project",
        Permission.PROJECT_CREATE,
        Permission.RELEASE_FILE_VIEW,
        Permission.USER_EDIT_PROJECT_ROLES,
    ),
}

# Roles that reach beyond one project: people are told when somebody is given one.
SENSITIVE = frozenset(ROLES) - {Role.PROJECT_DEVELOPER, Role.SIGN_OFF_REPO_WITH_OUTPUTS}
# Only through a backend: a browser session must not be able to upload.
BACKEND_ONLY = frozenset({Permission.RELEASE_FILE_UPLOAD})
# What a personal token may do, as far as its owner may.
TOKEN_READS = frozenset({Permission.RELEASE_FILE_VIEW})
# What a backend itself may do.
BACKEND = frozenset(
    {
        Permission.AIRLOCK_NOTIFY,
        Permission.JOB_UPDATE,
        Permission.LEVEL4_LOGIN,
        Permission.USER_ROLES_READ,
    }
)

ANYONE = frozenset({Permission.VIEW})
SIGNED_IN = frozenset({Permission.ACCOUNT})
ANY_ROLE = frozenset({Permission.WORKSPACE_STATUS_VIEW, Permission.JOB_METRICS_VIEW})
MEMBER = frozenset({Permission.MEMBER_TOOLS_VIEW})
MEMBER_USING_REPO = frozenset({Permission.REPO_SIGN_OFF})
ORG_MEMBER = frozenset({Permission.PROJECT_ROLES_VIEW})
CREATOR_OF_JOB_REQUEST = frozenset({Permission.JOB_CANCEL})
AUTHOR_OF_RELEASE_REQUEST = frozenset({Permission.UNRELEASED_OUTPUTS_VIEW})
READER_OF_SNAPSHOT = frozenset({Permission.SNAPSHOT_VIEW})


_BY_NAME = {role.value: role for role in Role}


def known(names: list[str]) -> list[Role]:
    """The roles behind stored names; names that we do not know are left out."""
    return [_BY_NAME[name] for name in names if name in _BY_NAME]


def roles_granting(permission: Permission, among: tuple[Role, ...] = tuple(Role)) -> list[Role]:
    """The roles that carry the permission, in order of their names."""
    return [role for role in among if permission in ROLES[role].permissions]


def session_permissions(role: Role) -> frozenset[Permission]:
    """What the role allows somebody who is signed in with a browser."""
    return ROLES[role].permissions - BACKEND_ONLY


def permissions_through_backend(role: Role) -> frozenset[Permission]:
    """What the role allows somebody for whom a backend acts."""
    return ROLES[role].permissions & BACKEND_ONLY


def permissions_of_token(role: Role) -> frozenset[Permission]:
    """What a personal token may read for somebody with the role."""
    return ROLES[role].permissions & TOKEN_READS
