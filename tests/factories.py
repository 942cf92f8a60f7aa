"""Rows for tests, made with sensible defaults and committed at once."""

from typing import Any

import factory
from sqlalchemy.orm import Session

from jobserver import models
from jobserver.security import tokens

_current: list[Session | None] = [None]


def use(session: Session | None) -> None:
    """Choose the session that the factories write with."""
    _current[0] = session


def current() -> Session:
    """The session in use."""
    assert _current[0] is not None, "the test needs the db fixture"
    return _current[0]


class Rows(factory.alchemy.SQLAlchemyModelFactory):
    """Base of all factories."""

    class Meta:
        abstract = True
        sqlalchemy_session_factory = current
        sqlalchemy_session_persistence = "commit"


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
        session.commit()
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
        current().commit()
        return job


class SiteAlertFactory(Rows):
    class Meta:
        model = models.SiteAlert

    message = "The service is being looked after."


def session_cookie(user: models.User) -> dict[str, str]:
    """Cookies of a browser in which the user is signed in."""
    from jobserver.security import sessions

    token = sessions.start(current(), user, user_agent="tests", address="127.0.0.1")
    current().commit()
    return {"sessionid": token}
