"""The kinds of audit events in plain words: one sentence for each (spec: staff 15.3, 17.28)."""

from typing import NamedTuple

from jobserver.models.choices import AuditType


class Kind(NamedTuple):
    """A kind of event: the group it is listed in, its name there, its glyph, its sentence.

    ``value`` names what stands in ``old`` and ``new`` where the event names no field.
    """

    group: str
    label: str
    icon: str
    words: str
    value: str = ""


def kind_of(type_: str) -> Kind:
    """The kind of this type; one that we do not know is called what it is stored as."""
    return KINDS.get(type_) or _unknown(type_)


def _unknown(type_: str) -> Kind:
    name = type_.replace("_", " ")
    return Kind("Other", name.capitalize(), "question-mark-circle", f"{{actor}}: {name} {{target}}")


_PEOPLE, _PROJECTS, _ORGS, _BACKENDS = "People", "Projects", "Organisations", "Backends"
_WORKSPACES, _RUNS, _OUTPUTS, _LEVEL4 = "Workspaces and repositories", "Job requests", "Outputs", "Level 4"
_SITE = "Site"

T = AuditType
KINDS: dict[str, Kind] = {
    T.USER_CREATED: Kind(_PEOPLE, "Account opened", "user-plus", "{actor} opened the account {target}"),
    T.USER_UPDATED: Kind(_PEOPLE, "Account edited", "pencil-square", "{actor} edited the account {target}"),
    T.USER_UPDATED_ROLES: Kind(
        _PEOPLE, "Global roles changed", "key", "{actor} changed global roles of {user}"
    ),
    T.USER_DISABLED: Kind(_PEOPLE, "Account disabled", "no-symbol", "{actor} disabled the account {target}"),
    T.USER_ENABLED: Kind(
        _PEOPLE, "Account enabled", "check-circle", "{actor} opened the account {target} again"
    ),
    T.USER_SESSION_ENDED: Kind(
        _PEOPLE,
        "Signed out elsewhere",
        "arrow-right-start-on-rectangle",
        "{actor} signed out a browser",
        "Browser",
    ),
    T.PERSONAL_TOKEN_CREATED: Kind(
        _PEOPLE, "Personal token made", "key", "{actor} made a personal token for {user}", "Good until"
    ),
    T.PERSONAL_TOKEN_REVOKED: Kind(
        _PEOPLE, "Personal token revoked", "no-symbol", "{actor} revoked a personal token of {user}", "Token"
    ),
    T.PROJECT_CREATED: Kind(
        _PROJECTS, "Project created", "folder-plus", "{actor} created the project {target}"
    ),
    T.PROJECT_UPDATED: Kind(
        _PROJECTS, "Project edited", "pencil-square", "{actor} edited the project {target}"
    ),
    T.PROJECT_MEMBER_ADDED: Kind(
        _PROJECTS, "Member added to a project", "user-plus", "{actor} added {user} to {parent}"
    ),
    T.PROJECT_MEMBER_REMOVED: Kind(
        _PROJECTS, "Member removed from a project", "user-minus", "{actor} removed {user} from {parent}"
    ),
    T.PROJECT_MEMBER_UPDATED_ROLES: Kind(
        _PROJECTS, "Member’s roles changed", "user-group", "{actor} changed roles of {user} in {parent}"
    ),
    T.PROJECT_MEMBER_UPDATED: Kind(
        _PROJECTS,
        "Membership of a project edited",
        "user-group",
        "{actor} edited the membership of {user} in {parent}",
    ),
    T.APPLICATION_LINKED: Kind(
        _PROJECTS, "Application linked", "link", "{actor} linked {target} to {parent}"
    ),
    T.APPLICATION_UNLINKED: Kind(
        _PROJECTS, "Application unlinked", "link-slash", "{actor} unlinked {target} from {parent}"
    ),
    T.DATA_PERMISSION_GRANTED: Kind(
        _PROJECTS, "Data permission given", "circle-stack", "{actor} let {parent} use more data", "Permission"
    ),
    T.DATA_PERMISSION_REVOKED: Kind(
        _PROJECTS,
        "Data permission withdrawn",
        "circle-stack",
        "{actor} let {parent} use less data",
        "Permission",
    ),
    T.ORG_CREATED: Kind(
        _ORGS, "Organisation created", "building-library", "{actor} created the organisation {target}"
    ),
    T.ORG_UPDATED: Kind(
        _ORGS, "Organisation edited", "pencil-square", "{actor} edited the organisation {target}"
    ),
    T.ORG_MEMBER_ADDED: Kind(
        _ORGS, "Member added to an organisation", "user-plus", "{actor} added {user} to {parent}"
    ),
    T.ORG_MEMBER_REMOVED: Kind(
        _ORGS, "Member removed from an organisation", "user-minus", "{actor} removed {user} from {parent}"
    ),
    T.ORG_MEMBER_UPDATED: Kind(
        _ORGS,
        "Membership of an organisation edited",
        "user-group",
        "{actor} edited the membership of {user} in {parent}",
    ),
    T.BACKEND_CREATED: Kind(_BACKENDS, "Backend created", "server", "{actor} created the backend {target}"),
    T.BACKEND_UPDATED: Kind(
        _BACKENDS, "Backend edited", "pencil-square", "{actor} edited the backend {target}"
    ),
    T.BACKEND_TOKEN_ROTATED: Kind(
        _BACKENDS, "Backend’s token replaced", "key", "{actor} replaced the token of the backend {target}"
    ),
    T.BACKEND_PAUSED: Kind(
        _BACKENDS, "New requests paused", "pause", "{actor} paused new job requests on {target}"
    ),
    T.BACKEND_RESUMED: Kind(
        _BACKENDS, "New requests let in again", "play", "{actor} let in new job requests on {target} again"
    ),
    T.BACKEND_CANCELLED_ALL: Kind(
        _BACKENDS,
        "Everything cancelled",
        "stop-circle",
        "{actor} cancelled everything active on {target}",
        "Job requests",
    ),
    T.BACKEND_MEMBER_ADDED: Kind(
        _BACKENDS, "Access to a backend given", "server", "{actor} gave {user} access to {parent}"
    ),
    T.BACKEND_MEMBER_REMOVED: Kind(
        _BACKENDS, "Access to a backend taken away", "server", "{actor} took access to {parent} from {user}"
    ),
    T.BACKEND_MEMBER_UPDATED: Kind(
        _BACKENDS, "Access to a backend edited", "server", "{actor} edited the access of {user} to {parent}"
    ),
    T.ANNOUNCEMENT_MAILED: Kind(
        _BACKENDS, "Announcement mailed", "megaphone", "{actor} mailed an announcement about {target}", "To"
    ),
    T.WORKSPACE_CREATED: Kind(
        _WORKSPACES, "Workspace created", "folder-plus", "{actor} created the workspace {target} in {parent}"
    ),
    T.WORKSPACE_UPDATED: Kind(
        _WORKSPACES, "Workspace edited", "pencil-square", "{actor} edited the workspace {target}"
    ),
    T.WORKSPACE_ARCHIVED: Kind(
        _WORKSPACES, "Workspace archived", "archive-box", "{actor} archived the workspace {target}"
    ),
    T.WORKSPACE_UNARCHIVED: Kind(
        _WORKSPACES, "Workspace unarchived", "archive-box", "{actor} unarchived the workspace {target}"
    ),
    T.WORKSPACE_NOTIFICATIONS_ON: Kind(
        _WORKSPACES, "Emails switched on", "bell", "{actor} switched on emails of the workspace {target}"
    ),
    T.WORKSPACE_NOTIFICATIONS_OFF: Kind(
        _WORKSPACES,
        "Emails switched off",
        "bell-slash",
        "{actor} switched off emails of the workspace {target}",
    ),
    T.WORKSPACE_MOVED: Kind(
        _WORKSPACES, "Workspace moved", "arrow-right", "{actor} moved the workspace {target} to {parent}"
    ),
    T.WORKSPACE_SIGNED_OFF: Kind(
        _WORKSPACES, "Workspace signed off", "check-badge", "{actor} signed off the workspace {target}"
    ),
    T.REPO_RESEARCHER_SIGNED_OFF: Kind(
        _WORKSPACES,
        "Repository signed off by a researcher",
        "check-badge",
        "{actor} signed off the repository {target} as a researcher",
    ),
    T.REPO_SIGNED_OFF: Kind(
        _WORKSPACES, "Repository signed off", "check-badge", "{actor} signed off the repository {target}"
    ),
    T.JOB_REQUEST_CREATED: Kind(
        _RUNS, "Jobs asked for", "paper-airplane", "{actor} asked for jobs in {parent}: {target}", "Actions"
    ),
    T.JOB_REQUEST_CANCELLED: Kind(
        _RUNS, "Jobs cancelled", "stop-circle", "{actor} cancelled jobs of {target}", "Actions"
    ),
    T.RELEASE_CREATED: Kind(
        _OUTPUTS, "Release announced", "inbox-arrow-down", "{actor} announced {target} of {parent}", "Files"
    ),
    T.RELEASE_REPEATED: Kind(
        _OUTPUTS,
        "Release announced again",
        "inbox-arrow-down",
        "{actor} announced {target} of {parent} again",
    ),
    T.RELEASE_REVIEWED: Kind(
        _OUTPUTS,
        "Release reviewed",
        "clipboard-document-check",
        "{actor} reviewed {target} of {parent}",
        "Files",
    ),
    T.RELEASE_UPLOADED: Kind(
        _OUTPUTS,
        "Release complete",
        "inbox-arrow-down",
        "{actor} uploaded the last file of {target} of {parent}",
    ),
    T.RELEASE_FILE_DELETED: Kind(
        _OUTPUTS, "Released file redacted", "trash", "{actor} redacted the released file {target} of {parent}"
    ),
    T.SNAPSHOT_CREATED: Kind(
        _OUTPUTS, "Draft prepared", "document-plus", "{actor} prepared {target} of {parent}", "Files"
    ),
    T.SNAPSHOT_FILES_REMOVED: Kind(
        _OUTPUTS,
        "Files taken out of a draft",
        "trash",
        "{actor} took files out of {target} of {parent}",
        "Files",
    ),
    T.SNAPSHOT_PUBLISHED: Kind(_OUTPUTS, "Published", "globe-alt", "{actor} published {target} of {parent}"),
    T.SNAPSHOT_UNPUBLISHED: Kind(
        _OUTPUTS,
        "Publication withdrawn",
        "eye-slash",
        "{actor} made {target} of {parent} a draft again",
        "Why",
    ),
    T.PUBLISH_REQUEST_CREATED: Kind(
        _OUTPUTS, "Publication asked for", "globe-alt", "{actor} asked to publish {target} of {parent}"
    ),
    T.PUBLISH_REQUEST_REJECTED: Kind(
        _OUTPUTS,
        "Publication refused",
        "x-circle",
        "{actor} did not let {target} of {parent} be published",
        "Why",
    ),
    T.PUBLISH_REQUEST_WITHDRAWN: Kind(
        _OUTPUTS,
        "Publication no longer asked for",
        "arrow-uturn-left",
        "{actor} no longer asks to publish {target} of {parent}",
    ),
    T.LEVEL4_LOGIN: Kind(
        _LEVEL4,
        "Signed in to Level 4",
        "arrow-right-end-on-rectangle",
        "{actor} signed in to Level 4 on {parent}",
    ),
    T.LEVEL4_LOGIN_FAILED: Kind(
        _LEVEL4,
        "Sign-in to Level 4 refused",
        "x-circle",
        "{actor} refused to sign {user} in to Level 4",
        "Because",
    ),
    T.LEVEL4_TOKEN_CREATED: Kind(_LEVEL4, "Level 4 token made", "key", "{actor} made a token for Level 4"),
    T.LEVEL4_TOKEN_VOIDED: Kind(
        _LEVEL4,
        "Level 4 token ended",
        "no-symbol",
        "{actor} ended {user}’s token for Level 4 after wrong tries",
    ),
    T.REDIRECT_CREATED: Kind(
        _SITE, "Redirect made", "arrow-uturn-right", "{actor} made the redirect {target}"
    ),
    T.REDIRECT_UPDATED: Kind(
        _SITE, "Redirect edited", "arrow-uturn-right", "{actor} edited the redirect {target}"
    ),
    T.REDIRECT_DELETED: Kind(_SITE, "Redirect deleted", "trash", "{actor} deleted the redirect {target}"),
    T.SITE_ALERT_CREATED: Kind(_SITE, "Alert made", "megaphone", "{actor} made the site alert {target}"),
    T.SITE_ALERT_UPDATED: Kind(_SITE, "Alert edited", "megaphone", "{actor} edited the site alert {target}"),
    T.SITE_ALERT_DELETED: Kind(_SITE, "Alert deleted", "trash", "{actor} deleted the site alert {target}"),
    T.TASK_RETRIED: Kind(_SITE, "Delivery retried", "arrow-path", "{actor} retried a delivery", "Delivery"),
}
