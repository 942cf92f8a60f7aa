"""The tables. One module per aggregate; this page is their index."""

from jobserver.models.application import Application
from jobserver.models.audit import AuditableEvent
from jobserver.models.backend import Backend, BackendMembership, ControllerContact, Stats
from jobserver.models.base import Base, utcnow
from jobserver.models.choices import (
    ACTIVE_STATUSES,
    AirlockEventType,
    AlertLevel,
    ApplicationStatus,
    AuditSource,
    AuditType,
    HappeningKind,
    JobRequestStatus,
    JobState,
    MailChoice,
    MailKind,
    PermissionKind,
    ProjectCategory,
    ProjectStatus,
    PublishDecision,
    ReleaseRequestState,
    ReleaseStatus,
    ReviewStatus,
    Role,
    TokenScope,
)
from jobserver.models.job import ActionName, Job
from jobserver.models.job_request import ONLY_CANCELLED, Cancellation, Happening, JobRequest
from jobserver.models.org import Org, OrgMembership
from jobserver.models.project import DataPermission, Project, ProjectCollaboration, ProjectMembership
from jobserver.models.publication import PublishRequest, Snapshot, SnapshotFile
from jobserver.models.release import Release, ReleaseFile, ReleaseFileReview
from jobserver.models.release_request import ReleaseRequest, ReleaseRequestEvent
from jobserver.models.site import Redirect, SiteAlert
from jobserver.models.task import TaskRecord
from jobserver.models.token import PersonalToken
from jobserver.models.user import EmailChange, GithubIdentity, MailPreference, User, UserSession
from jobserver.models.workspace import MutedWorkspace, Repo, Workspace

__all__ = [
    "ACTIVE_STATUSES",
    "ONLY_CANCELLED",
    "ActionName",
    "AirlockEventType",
    "AlertLevel",
    "Application",
    "ApplicationStatus",
    "AuditSource",
    "AuditType",
    "AuditableEvent",
    "Backend",
    "BackendMembership",
    "Base",
    "Cancellation",
    "ControllerContact",
    "DataPermission",
    "EmailChange",
    "GithubIdentity",
    "Happening",
    "HappeningKind",
    "Job",
    "JobRequest",
    "JobRequestStatus",
    "JobState",
    "MailChoice",
    "MailKind",
    "MailPreference",
    "MutedWorkspace",
    "Org",
    "OrgMembership",
    "PermissionKind",
    "PersonalToken",
    "Project",
    "ProjectCategory",
    "ProjectCollaboration",
    "ProjectMembership",
    "ProjectStatus",
    "PublishDecision",
    "PublishRequest",
    "Redirect",
    "Release",
    "ReleaseFile",
    "ReleaseFileReview",
    "ReleaseRequest",
    "ReleaseRequestEvent",
    "ReleaseRequestState",
    "ReleaseStatus",
    "Repo",
    "ReviewStatus",
    "Role",
    "SiteAlert",
    "Snapshot",
    "SnapshotFile",
    "Stats",
    "TaskRecord",
    "TokenScope",
    "User",
    "UserSession",
    "Workspace",
    "utcnow",
]
