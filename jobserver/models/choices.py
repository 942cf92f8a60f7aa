"""The enumerations of the field (spec: domain 3 and 4)."""

from enum import StrEnum


class Role(StrEnum):
    """A role that a person can hold (spec: access 1.2)."""

    AUDITOR = "Auditor"
    DEPLOYMENT_ADMINISTRATOR = "DeploymentAdministrator"
    OUTPUT_CHECKER = "OutputChecker"
    OUTPUT_PUBLISHER = "OutputPublisher"
    PROJECT_COLLABORATOR = "ProjectCollaborator"
    PROJECT_DEVELOPER = "ProjectDeveloper"
    SERVICE_ADMINISTRATOR = "ServiceAdministrator"
    SIGN_OFF_REPO_WITH_OUTPUTS = "SignOffRepoWithOutputs"
    STAFF_AREA_ADMINISTRATOR = "StaffAreaAdministrator"
    TECH_SUPPORT = "TechSupport"


PROJECT_ROLES = (Role.PROJECT_COLLABORATOR, Role.PROJECT_DEVELOPER)
GLOBAL_ROLES = tuple(role for role in Role if role is not Role.PROJECT_DEVELOPER)


class ProjectStatus(StrEnum):
    """Where a project stands."""

    ONGOING = "ongoing"
    POSTPONED = "postponed"
    RETIRED = "retired"
    ONGOING_AND_LINKED = "ongoing-and-linked"
    COMPLETED_AND_LINKED = "completed-and-linked"
    COMPLETED_AND_AWAITING = "completed-and-awaiting"


class ProjectCategory(StrEnum):
    """What kind of approval a project runs under."""

    INTERNAL = "internal"
    LEGACY = "legacy"
    LEGACY_APPROVED = "legacy_approved"
    APPROVED = "approved"
    UNKNOWN = "unknown"


class JobRequestStatus(StrEnum):
    """Status of a job request (spec: rap 3.1)."""

    PENDING = "pending"
    RUNNING = "running"
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    NOTHING_TO_DO = "nothing_to_do"
    UNKNOWN = "unknown"
    UNKNOWN_ERROR_CREATING_JOBS = "unknown_error_creating_jobs"


ACTIVE_STATUSES = (
    JobRequestStatus.PENDING,
    JobRequestStatus.RUNNING,
    JobRequestStatus.UNKNOWN,
    JobRequestStatus.UNKNOWN_ERROR_CREATING_JOBS,
)


class JobState(StrEnum):
    """A job's status, normalised for counting; what we do not know is ``unknown``."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class HappeningKind(StrEnum):
    """What can happen to a job request (the table ``happening``)."""

    SENT = "sent"
    NO_ANSWER = "no_answer"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOTHING_TO_DO = "nothing_to_do"
    JOB = "job"
    MAILED = "mailed"
    NOT_MAILED = "not_mailed"


class MailKind(StrEnum):
    """Mails that a person can choose to get or not."""

    REQUEST_ENDED = "request_ended"
    FIRST_FAILURE = "first_failure"


class MailChoice(StrEnum):
    """When a person wants a kind of mail."""

    ALWAYS = "always"
    FAILURES = "failures"
    NEVER = "never"


class ReleaseStatus(StrEnum):
    """Where a release stands."""

    REQUESTED = "REQUESTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class ReviewStatus(StrEnum):
    """What a reviewer decided about a file."""

    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class PublishDecision(StrEnum):
    """What became of a wish to publish."""

    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class AirlockEventType(StrEnum):
    """What Airlock tells of a release request (spec: airlock 8.3)."""

    SUBMITTED = "request_submitted"
    RESUBMITTED = "request_resubmitted"
    PARTIALLY_REVIEWED = "request_partially_reviewed"
    REVIEWED = "request_reviewed"
    RETURNED = "request_returned"
    APPROVED = "request_approved"
    RELEASED = "request_released"
    REJECTED = "request_rejected"
    WITHDRAWN = "request_withdrawn"


class ReleaseRequestState(StrEnum):
    """Where a release request stands in Airlock, as far as its events say."""

    SUBMITTED = "submitted"
    PARTIALLY_REVIEWED = "partially_reviewed"
    REVIEWED = "reviewed"
    RETURNED = "returned"
    APPROVED = "approved"
    RELEASED = "released"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class PermissionKind(StrEnum):
    """Kinds of data permission that a project can be granted."""

    POPULATION = "population"
    DATASET = "dataset"
    TOOL = "tool"


POPULATION_PERMISSIONS = ("include_t1oo", "include_ndoo", "include_gp_unactivated")
DATASET_PERMISSIONS = (
    "appointments",
    "icnarc",
    "isaric",
    "open_prompt",
    "ukrr",
    "waiting_list",
    "sgss_covid_all_tests",
    "occupation_on_covid_vaccine_record",
    "covid_therapeutics",
)
TOOL_PERMISSIONS = ("sqlrunner",)


class AlertLevel(StrEnum):
    """How loud a site alert is."""

    DANGER = "danger"
    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"


class AuditType(StrEnum):
    """What an audit event records (spec: domain 6.1 and 13.32)."""

    PROJECT_CREATED = "project_created"
    PROJECT_MEMBER_ADDED = "project_member_added"
    PROJECT_MEMBER_REMOVED = "project_member_removed"
    PROJECT_MEMBER_UPDATED_ROLES = "project_member_updated_roles"
    USER_UPDATED_ROLES = "user_updated_roles"
    USER_CREATED = "user_created"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    ORG_CREATED = "org_created"
    ORG_MEMBER_ADDED = "org_member_added"
    BACKEND_CREATED = "backend_created"
    BACKEND_MEMBER_ADDED = "backend_member_added"
    BACKEND_TOKEN_ROTATED = "backend_token_rotated"  # noqa: S105
    DATA_PERMISSION_GRANTED = "data_permission_granted"
    DATA_PERMISSION_REVOKED = "data_permission_revoked"
    PROJECT_UPDATED = "project_updated"
    USER_UPDATED = "user_updated"
    USER_SESSION_ENDED = "user_session_ended"
    WORKSPACE_CREATED = "workspace_created"
    WORKSPACE_UPDATED = "workspace_updated"
    WORKSPACE_ARCHIVED = "workspace_archived"
    WORKSPACE_UNARCHIVED = "workspace_unarchived"
    WORKSPACE_NOTIFICATIONS_ON = "workspace_notifications_on"
    WORKSPACE_NOTIFICATIONS_OFF = "workspace_notifications_off"
    JOB_REQUEST_CREATED = "job_request_created"
    JOB_REQUEST_CANCELLED = "job_request_cancelled"
    LEVEL4_LOGIN = "level4_login"
    LEVEL4_LOGIN_FAILED = "level4_login_failed"
    LEVEL4_TOKEN_CREATED = "level4_token_created"  # noqa: S105
    LEVEL4_TOKEN_VOIDED = "level4_token_voided"  # noqa: S105
    ORG_UPDATED = "org_updated"
    PERSONAL_TOKEN_CREATED = "personal_token_created"  # noqa: S105
    PUBLISH_REQUEST_CREATED = "publish_request_created"
    PUBLISH_REQUEST_REJECTED = "publish_request_rejected"
    PUBLISH_REQUEST_WITHDRAWN = "publish_request_withdrawn"
    RELEASE_CREATED = "release_created"
    RELEASE_FILE_DELETED = "release_file_deleted"
    RELEASE_REPEATED = "release_repeated"
    RELEASE_REVIEWED = "release_reviewed"
    RELEASE_UPLOADED = "release_uploaded"
    SNAPSHOT_CREATED = "snapshot_created"
    SNAPSHOT_FILES_REMOVED = "snapshot_files_removed"
    SNAPSHOT_PUBLISHED = "snapshot_published"
    SNAPSHOT_UNPUBLISHED = "snapshot_unpublished"
    ANNOUNCEMENT_MAILED = "announcement_mailed"
    APPLICATION_LINKED = "application_linked"
    APPLICATION_UNLINKED = "application_unlinked"
    BACKEND_CANCELLED_ALL = "backend_cancelled_all"
    BACKEND_MEMBER_REMOVED = "backend_member_removed"
    BACKEND_MEMBER_UPDATED = "backend_member_updated"
    BACKEND_PAUSED = "backend_paused"
    BACKEND_RESUMED = "backend_resumed"
    BACKEND_UPDATED = "backend_updated"
    ORG_MEMBER_REMOVED = "org_member_removed"
    ORG_MEMBER_UPDATED = "org_member_updated"
    PERSONAL_TOKEN_REVOKED = "personal_token_revoked"  # noqa: S105
    PROJECT_MEMBER_UPDATED = "project_member_updated"
    REDIRECT_CREATED = "redirect_created"
    REDIRECT_DELETED = "redirect_deleted"
    REDIRECT_UPDATED = "redirect_updated"
    REPO_RESEARCHER_SIGNED_OFF = "repo_researcher_signed_off"
    REPO_SIGNED_OFF = "repo_signed_off"
    SITE_ALERT_CREATED = "site_alert_created"
    SITE_ALERT_DELETED = "site_alert_deleted"
    SITE_ALERT_UPDATED = "site_alert_updated"
    TASK_RETRIED = "task_retried"
    WORKSPACE_MOVED = "workspace_moved"
    WORKSPACE_SIGNED_OFF = "workspace_signed_off"


class AuditSource(StrEnum):
    """By what a change was made."""

    BROWSER = "browser"
    COMMAND = "command"
    API = "api"
    SERVICE = "service"


class TokenScope(StrEnum):
    """What a personal token may read, as far as its owner may."""

    RELEASES = "releases"
    JOB_REQUESTS = "job_requests"
    WORKSPACES = "workspaces"


class ApplicationStatus(StrEnum):
    """Where an application stands (spec: applications 8)."""

    APPROVED_FULLY = "approved_fully"
    APPROVED_SUBJECT_TO = "approved_subject_to"
    COMPLETED = "completed"
    SUBMITTED = "submitted"
    ONGOING = "ongoing"
    REJECTED = "rejected"
    DEFERRED = "deferred"
