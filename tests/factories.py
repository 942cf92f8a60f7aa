"""Rows for tests, made with sensible defaults and committed at once."""

import hashlib
import io
from datetime import timedelta
from typing import Any

import factory
from sqlalchemy.orm import Session

from jobserver import models
from jobserver.security import tokens

_current: list[Session | None] = [None]


def use(session: Session | None) -> None:
    """Choose the session that the factories write with; their counters begin anew, whatever ran before."""
    _current[0] = session
    for each in Rows.__subclasses__():
        each.reset_sequence(1, force=True)


def current() -> Session:
    """The session in use."""
    assert _current[0] is not None, "the test needs the db fixture"
    return _current[0]


class Rows(factory.alchemy.SQLAlchemyModelFactory):
    """Base of all factories."""

    class Meta:
        abstract = True
        sqlalchemy_session_factory = current
        sqlalchemy_session_persistence = "flush"

    @classmethod
    def _generate(cls, strategy: Any, params: Any) -> Any:
        """The row that was asked for; it and those that it needs are committed at once."""
        made = super()._generate(strategy, params)
        current().commit()
        return made


class UserFactory(Rows):
    class Meta:
        model = models.User

    username = factory.Sequence(lambda n: f"user-{n}")
    fullname = factory.Sequence(lambda n: f"Person {n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")


class GithubIdentityFactory(Rows):
    class Meta:
        model = models.GithubIdentity

    user = factory.SubFactory(UserFactory)
    uid = factory.Sequence(lambda n: str(1000 + n))
    login = factory.LazyAttribute(lambda identity: identity.user.username)


class BackendFactory(Rows):
    class Meta:
        model = models.Backend

    slug = factory.Sequence(lambda n: f"backend-{n}")
    name = factory.LazyAttribute(lambda backend: backend.slug.upper())
    is_active = True


class BackendMembershipFactory(Rows):
    class Meta:
        model = models.BackendMembership

    backend = factory.SubFactory(BackendFactory)
    user = factory.SubFactory(UserFactory)


class OrgFactory(Rows):
    class Meta:
        model = models.Org

    name = factory.Sequence(lambda n: f"Organisation {n}")
    slug = factory.Sequence(lambda n: f"organisation-{n}")
    github_orgs = factory.LazyFunction(lambda: ["opensafely"])


class OrgMembershipFactory(Rows):
    class Meta:
        model = models.OrgMembership

    org = factory.SubFactory(OrgFactory)
    user = factory.SubFactory(UserFactory)


class ProjectFactory(Rows):
    """A project with its lead organisation among its collaborators."""

    class Meta:
        model = models.Project

    name = factory.Sequence(lambda n: f"Project {n}")
    slug = factory.Sequence(lambda n: f"project-{n}")
    org = factory.SubFactory(OrgFactory)
    created_by = factory.SubFactory(UserFactory)
    updated_by = factory.SelfAttribute("created_by")

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        others = kwargs.pop("other_orgs", [])
        session = current()
        project = model_class(*args, **kwargs)
        session.add(project)
        session.flush()
        for org in [project.org, *others]:
            session.add(
                models.ProjectCollaboration(
                    project_id=project.id,
                    org_id=org.id,
                    created_by_id=project.created_by_id,
                    updated_by_id=project.created_by_id,
                )
            )
        session.flush()
        return project


class ProjectMembershipFactory(Rows):
    class Meta:
        model = models.ProjectMembership

    project = factory.SubFactory(ProjectFactory)
    user = factory.SubFactory(UserFactory)
    roles = factory.LazyFunction(list)


class RepoFactory(Rows):
    class Meta:
        model = models.Repo

    url = factory.Sequence(lambda n: f"https://github.com/opensafely/study-{n}")


class WorkspaceFactory(Rows):
    class Meta:
        model = models.Workspace

    name = factory.Sequence(lambda n: f"workspace-{n}")
    project = factory.SubFactory(ProjectFactory)
    repo = factory.SubFactory(RepoFactory)
    branch = "main"
    created_by = factory.SubFactory(UserFactory)
    updated_by = factory.SelfAttribute("created_by")


class JobRequestFactory(Rows):
    class Meta:
        model = models.JobRequest

    identifier = factory.LazyFunction(tokens.new_identifier)
    backend = factory.SubFactory(BackendFactory)
    workspace = factory.SubFactory(WorkspaceFactory)
    requested_actions = factory.LazyFunction(lambda: ["run_all"])
    sha = "5f0c1b7e9a4d3c2b1a0f9e8d7c6b5a4f3e2d1c0b"
    branch = "main"
    created_by = factory.SubFactory(UserFactory)


class JobFactory(Rows):
    """A job; the counts of its request are not touched (use the actions for that)."""

    class Meta:
        model = models.Job

    job_request = factory.SubFactory(JobRequestFactory)
    workspace_id = factory.SelfAttribute("job_request.workspace_id")
    backend_id = factory.SelfAttribute("job_request.backend_id")
    identifier = factory.LazyFunction(tokens.new_identifier)
    action = factory.Sequence(lambda n: f"action_{n}")
    run_command = "python:v2 python analysis/a.py"
    status = "pending"
    status_code = "created"

    @classmethod
    def _create(cls, model_class: type[Any], *args: Any, **kwargs: Any) -> Any:
        job = super()._create(model_class, *args, **kwargs)
        current().merge(models.ActionName(name=job.action))
        current().flush()
        return job


class ReleaseFactory(Rows):
    class Meta:
        model = models.Release

    id = factory.LazyFunction(tokens.new_ulid)
    workspace = factory.SubFactory(WorkspaceFactory)
    backend = factory.SubFactory(BackendFactory)
    requested_files = factory.LazyFunction(list)
    created_by = factory.SubFactory(UserFactory)


class ReleaseFileFactory(Rows):
    """A file that was announced; with ``content`` and ``storage`` one that was uploaded."""

    class Meta:
        model = models.ReleaseFile

    id = factory.LazyFunction(tokens.new_ulid)
    release = factory.SubFactory(ReleaseFactory)
    workspace_id = factory.SelfAttribute("release.workspace_id")
    name = factory.Sequence(lambda n: f"output/table-{n}.csv")
    filehash = hashlib.sha256(b"").hexdigest()
    size = 0
    mtime = factory.LazyFunction(models.utcnow)
    created_by = factory.SelfAttribute("release.created_by")

    @classmethod
    def _create(cls, model_class: type[Any], *args: Any, **kwargs: Any) -> Any:
        content, storage = kwargs.pop("content", None), kwargs.pop("storage", None)
        if content is not None:
            kwargs |= {"filehash": hashlib.sha256(content).hexdigest(), "size": len(content)}
        if storage is not None:
            release = kwargs["release"]
            path = f"{release.workspace.name}/releases/{release.id}/{kwargs['name']}"
            stream = io.BytesIO(content or b"")
            storage.keep(storage.receive(stream.read, 2**40), path)
            kwargs.setdefault("uploaded_at", models.utcnow())
            kwargs |= {"path": path, "uploaded_by": release.created_by}
        return super()._create(model_class, *args, **kwargs)


class SnapshotFactory(Rows):
    """A set of ``files`` of one workspace."""

    class Meta:
        model = models.Snapshot

    workspace = factory.SubFactory(WorkspaceFactory)
    created_by = factory.SubFactory(UserFactory)
    digest = factory.Sequence(lambda n: f"digest-{n}")

    @classmethod
    def _create(cls, model_class: type[Any], *args: Any, **kwargs: Any) -> Any:
        files = kwargs.pop("files", [])
        snapshot = super()._create(model_class, *args, **kwargs)
        for each in files:
            current().add(
                models.SnapshotFile(
                    snapshot_id=snapshot.id, release_file_id=each.id, workspace_id=snapshot.workspace_id
                )
            )
        current().commit()
        return snapshot


class PublishRequestFactory(Rows):
    class Meta:
        model = models.PublishRequest

    snapshot = factory.SubFactory(SnapshotFactory)
    created_by = factory.SelfAttribute("snapshot.created_by")


class ReleaseRequestFactory(Rows):
    class Meta:
        model = models.ReleaseRequest

    id = factory.LazyFunction(tokens.new_ulid)
    workspace = factory.SubFactory(WorkspaceFactory)
    backend = factory.SubFactory(BackendFactory)
    author = factory.SubFactory(UserFactory)
    state = "submitted"


class ReleaseRequestEventFactory(Rows):
    class Meta:
        model = models.ReleaseRequestEvent

    release_request = factory.SubFactory(ReleaseRequestFactory)
    event_type = "request_submitted"
    turn = 1
    created_by = factory.SelfAttribute("release_request.author")


class ApplicationFactory(Rows):
    class Meta:
        model = models.Application

    created_by = factory.SubFactory(UserFactory)
    study_name = factory.Sequence(lambda n: f"Study {n}")


class RedirectFactory(Rows):
    """An old address; give what it leads to: ``org``, ``project`` or ``workspace``."""

    class Meta:
        model = models.Redirect

    old_url = factory.Sequence(lambda n: f"/old-{n}/")
    created_by = factory.SubFactory(UserFactory)

    @classmethod
    def _create(cls, model_class: type[Any], *args: Any, **kwargs: Any) -> Any:
        targets = {
            f"{name}_id": kwargs.pop(name).id for name in ("org", "project", "workspace") if name in kwargs
        }
        return super()._create(model_class, *args, **kwargs, **targets)


class SiteAlertFactory(Rows):
    class Meta:
        model = models.SiteAlert

    message = "The service is being looked after."


def backend_with_token(**values: Any) -> tuple[models.Backend, str]:
    """A backend and its token, which was used just now."""
    token = tokens.new_backend_token()
    values = {"token_digest": tokens.digest(token), "token_used_at": models.utcnow(), **values}
    return BackendFactory(**values), token


def personal_token(user: models.User, *scopes: str, **values: Any) -> str:
    """A personal token of the user's, as programs send it: for released files unless it says for what."""
    secret = tokens.new_personal_token((models.utcnow() + timedelta(days=9)).date())
    kept = {
        "name": "Test",
        "digest": tokens.digest(secret),
        "expires_at": models.utcnow() + timedelta(days=9),
        **values,
    }
    session = current()
    session.add(models.PersonalToken(user_id=user.id, scopes=list(scopes or ["releases"]), **kept))
    session.commit()
    return f"{user.username}:{secret}"


def session_cookie(user: models.User) -> dict[str, str]:
    """Cookies of a browser in which the user is signed in."""
    from jobserver.security import sessions

    token = sessions.start(current(), user, user_agent="tests", address="127.0.0.1")
    current().commit()
    return {"sessionid": token}
