"""Every permission, with a sentence each (spec: access 1.3 and 7.2)."""

from enum import StrEnum


class Permission(StrEnum):
    """What a caller may be allowed to do. The value is the identifier that programs know."""

    def __new__(cls, value: str, sentence: str) -> "Permission":
        """Give the member its identifier and its sentence."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member

    sentence: str

    ACCOUNT = "account", "use pages that need an account"
    AIRLOCK_NOTIFY = "airlock_notify", "tell us what happened to a release request"
    AIRLOCK_READONLY_ACCESS = "airlock_readonly_access", "look at every workspace in Airlock"
    APPLICATION_ACCESS = "application_access", "open, edit and submit an application"
    APPLICATION_MANAGE = "application_manage", "open, edit and submit anybody's application"
    APPLICATION_REMOVE = "application_remove", "delete and restore an application"
    BACKEND_MANAGE = "backend_manage", "add, look at and edit backends and rotate their tokens"
    JOB_CANCEL = "job_cancel", "cancel job requests and jobs"
    JOB_METRICS_VIEW = "job_metrics_view", "see how much memory and processor a job used"
    JOB_RUN = "job_run", "run jobs"
    JOB_UPDATE = "job_update", "report what became of jobs"
    LEVEL4_LOGIN = "level4_login", "sign a person in to Level 4"
    MEMBER_TOOLS_VIEW = "member_tools_view", "see the tools of a project's members"
    ORG_CREATE = "org_create", "add an organisation"
    PROJECT_CREATE = "project_create", "create a project"
    PROJECT_LINK_TO_APPLICATION = "project_link_to_application", "link an application to a project"
    PROJECT_MANAGE = "project_manage", "edit a project's status"
    PROJECT_ROLES_VIEW = "project_roles_view", "see the roles of a project's members"
    RELEASE_FILE_DELETE = "release_file_delete", "delete a released file"
    RELEASE_FILE_UPLOAD = "release_file_upload", "release files, through a backend"
    RELEASE_FILE_VIEW = "release_file_view", "see released files and drafts"
    REPO_SIGN_OFF = "repo_sign_off", "sign off a repository as a researcher"
    REPO_SIGN_OFF_WITH_OUTPUTS = (
        "repo_sign_off_with_outputs",
        "sign off a repository whose outputs are on GitHub",
    )
    SNAPSHOT_CREATE = "snapshot_create", "prepare a draft for publication"
    SNAPSHOT_PUBLISH = "snapshot_publish", "publish a draft"
    SNAPSHOT_VIEW = "snapshot_view", "see a snapshot and its files"
    STAFF_AREA_ACCESS = "staff_area_access", "run the staff area"
    STAFF_AREA_VIEW = "staff_area_view", "look at everything in the staff area"
    UNRELEASED_OUTPUTS_VIEW = "unreleased_outputs_view", "see a project's workspaces in Airlock"
    USER_EDIT_PROJECT_ROLES = "user_edit_project_roles", "add, edit and remove project members"
    USER_MANAGE = "user_manage", "manage users, their roles, backends and organisations"
    USER_ROLES_READ = "user_roles_read", "read a user's roles"
    VIEW = "view", "see a public page"
    WORKSPACE_ARCHIVE = "workspace_archive", "archive and unarchive a workspace"
    WORKSPACE_CREATE = "workspace_create", "create a workspace and edit its purpose"
    WORKSPACE_STATUS_VIEW = "workspace_status_view", "see whether a workspace is archived"
    WORKSPACE_TOGGLE_NOTIFICATIONS = (
        "workspace_toggle_notifications",
        "switch a workspace's emails on and off",
    )


_BY_VALUE = {permission.value: permission for permission in Permission}


def permission_named(value: object) -> Permission | None:
    """The permission with this identifier."""
    return _BY_VALUE.get(str(value))
