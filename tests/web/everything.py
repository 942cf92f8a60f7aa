"""A world in which every page has something to show, and the addresses of all pages."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

from bs4 import BeautifulSoup, SoupStrainer
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from jobserver import models as m
from jobserver import queue
from jobserver.models import utcnow
from jobserver.resources import api, outputs, repositories, root, tree, uploads
from jobserver.resources import staff as staff_area
from jobserver.resources.people import SettingsResource, UserResource, Users
from tests import factories as f
from tests.web import running
from tests.web.conftest import Browser
from tests.web.test_promises import our_views


def definition(text: str) -> str:
    """A valid project.yaml in which whatever can hold any text holds this one."""
    name = json.dumps(text)
    run = json.dumps(f"python:v2 python a.py '{text.replace(chr(39), '’')}'")
    outputs = f"{{moderately_sensitive: {{{name}: {json.dumps(text.replace('/', '') + '.csv')}}}}}"
    first = f"  {name}:\n    run: {run}\n    outputs: {outputs}\n    config: {{{name}: {name}}}\n"
    second = "  after:\n    run: r:v2 a.R\n    outputs: {moderately_sensitive: {b: b.csv}}\n"
    return f"version: '4'\nactions:\n{first}{second}    needs: [{name}]\n"


@dataclass
class World:
    """One of everything; ``developer`` may run jobs in the workspace, ``staff`` may do what staff may."""

    developer: m.User
    staff: m.User
    job: m.Job
    backend: m.Backend
    file: m.ReleaseFile
    snapshot: m.Snapshot
    release_request: m.ReleaseRequest
    membership: m.ProjectMembership
    application: m.Application

    @property
    def request(self) -> m.JobRequest:
        """The request whose jobs are in all states."""
        return self.job.job_request

    @property
    def project(self) -> str:
        """The address of the project."""
        project = self.request.workspace.project
        return f"/{project.org.slug}/{project.slug}/"

    @property
    def staff_project(self) -> str:
        """The address of the project below the staff area."""
        return f"/projects/{self.request.workspace.project.slug}/"

    @property
    def repo(self) -> str:
        """The address of the repository."""
        repo = self.request.workspace.repo
        return f"/repo/{repo.owner}/{repo.name}/"

    @property
    def workspace(self) -> str:
        """The address of the workspace."""
        return f"{self.project}{self.request.workspace.name}/"

    def pages(self, app: Any) -> Iterator[tuple[type, str, str]]:
        """Context, method and address of every page; KeyError for a context that is not known here.

        The addresses of the JSON API have tests of their own in tests/web/api.
        """
        found = set()
        for view in our_views(app):
            shows_an_error = view["name"].isdigit() or issubclass(view["context"], Exception)
            if shows_an_error or view["context"].__module__.startswith(api.__name__):
                continue
            methods = view["request_methods"] or "GET"
            for method in [methods] if isinstance(methods, str) else methods:
                name = f"{view['name']}/" if view["name"] else ""
                found.add((view["context"], method, PLACES[view["context"]](self) + name))
        yield from sorted(found, key=lambda page: page[1:])


# Where a resource of each kind is.
PLACES: dict[type, Callable[[World], str]] = {
    root.Root: lambda world: "/",
    root.Health: lambda world: "/health/",
    root.Status: lambda world: "/status/",
    root.BackendStatus: lambda world: f"/status/{world.backend.slug}/",
    root.JobRequestAddresses: lambda world: "/job-requests/",
    root.JobAddresses: lambda world: "/jobs/",
    root.ShortAddress: lambda world: f"/job-requests/{world.request.id}/",
    repositories.RepoResource: lambda world: world.repo,
    repositories.OldRepo: lambda world: f"/repo/https://github.com{world.repo[5:]}",
    repositories.OldSignOff: lambda world: f"/publish-repo/https://github.com{world.repo[5:]}",
    Users: lambda world: "/users/",
    UserResource: lambda world: f"/users/{world.developer.username}/",
    SettingsResource: lambda world: "/settings/",
    tree.OrgResource: lambda world: f"/{world.request.workspace.project.org.slug}/",
    tree.ProjectResource: lambda world: world.project,
    tree.WorkspaceResource: lambda world: world.workspace,
    tree.JobRequestResource: lambda world: running.path(world.request),
    tree.JobResource: lambda world: f"{running.path(world.request)}{world.job.identifier}/",
    outputs.Releases: lambda world: f"{world.workspace}releases/",
    outputs.ReleaseResource: lambda world: f"{world.workspace}releases/{world.file.release_id}/",
    outputs.ReleaseFileResource: lambda world: (
        f"{world.workspace}releases/{world.file.release_id}/{world.file.id}/"
    ),
    outputs.ReleaseFilePath: lambda world: (
        f"{world.workspace}releases/{world.file.release_id}/{quote(world.file.name)}/"
    ),
    outputs.LatestFilePath: lambda world: (
        f"{world.workspace}outputs/latest/{world.backend.slug}/{quote(world.file.name)}/"
    ),
    outputs.SnapshotFilePath: lambda world: (
        f"{world.workspace}outputs/{world.snapshot.id}/{quote(world.file.name)}/"
    ),
    outputs.Outputs: lambda world: f"{world.workspace}outputs/",
    outputs.LatestOutputs: lambda world: f"{world.workspace}outputs/latest/",
    outputs.SnapshotResource: lambda world: f"{world.workspace}outputs/{world.snapshot.id}/",
    outputs.SnapshotFileResource: lambda world: (
        f"{world.workspace}outputs/{world.snapshot.id}/{world.file.id}/"
    ),
    outputs.PublishedFileResource: lambda world: f"{world.workspace}published/{world.file.id}/",
    outputs.ReleaseRequests: lambda world: f"{world.workspace}release-requests/",
    outputs.ReleaseRequestResource: lambda world: (
        f"{world.workspace}release-requests/{quote(world.release_request.id)}/"
    ),
    staff_area.StaffArea: lambda world: "/staff/",
    staff_area.StaffAccess: lambda world: "/staff/access/",
    staff_area.StaffAudit: lambda world: "/staff/audit/",
    staff_area.StaffUsers: lambda world: "/staff/users/",
    staff_area.StaffUser: lambda world: f"/staff/users/{world.developer.username}/",
    staff_area.StaffBackends: lambda world: "/staff/backends/",
    staff_area.StaffBackend: lambda world: f"/staff/backends/{world.backend.id}/",
    staff_area.StaffJobRequests: lambda world: "/staff/job-requests/",
    staff_area.StaffJobRequest: lambda world: f"/staff/job-requests/{world.request.id}/",
    staff_area.StaffUserRoles: lambda world: f"/staff/users/{world.developer.username}/roles/",
    staff_area.StaffProjects: lambda world: "/staff/projects/",
    staff_area.StaffProject: lambda world: f"/staff{world.staff_project}",
    staff_area.StaffMembership: lambda world: f"/staff{world.staff_project}members/{world.membership.id}/",
    staff_area.StaffOrgs: lambda world: "/staff/orgs/",
    staff_area.StaffOrg: lambda world: f"/staff/orgs/{world.request.workspace.project.org.slug}/",
    staff_area.StaffWorkspaces: lambda world: "/staff/workspaces/",
    staff_area.StaffWorkspace: lambda world: f"/staff/workspaces/{world.request.workspace.name}/",
    # Numbers begin anew with every test.
    staff_area.StaffRedirects: lambda world: "/staff/redirects/",
    staff_area.StaffRedirect: lambda world: "/staff/redirects/1/",
    staff_area.StaffSiteAlerts: lambda world: "/staff/site-alerts/",
    staff_area.StaffSiteAlert: lambda world: "/staff/site-alerts/edit/1/",
    staff_area.StaffSiteAlertToDelete: lambda world: "/staff/site-alerts/delete/1/",
    uploads.LogoFile: lambda world: f"/uploads/org_logos/{'0' * 64}.png",
    staff_area.StaffTasks: lambda world: "/staff/tasks/",
    staff_area.StaffDashboards: lambda world: "/staff/dashboards/",
    staff_area.StaffSentry: lambda world: "/staff/sentry/",
    staff_area.StaffRepos: lambda world: "/staff/repos/",
    staff_area.StaffRepo: lambda world: (
        f"/staff/repos/{world.request.workspace.repo.owner}/{world.request.workspace.repo.name}/"
    ),
    staff_area.StaffApplications: lambda world: "/staff/applications/",
    staff_area.StaffApplication: lambda world: f"/staff/applications/{world.application.hash}/",
}


def make(db: Session, text: str) -> World:
    """Such a world; every field that can hold any text holds this one."""
    now = utcnow()
    developer = f.UserFactory(fullname=text, email=f"{text}@example.com")
    staff = f.UserFactory(fullname=f"{text} of staff", roles=[role.value for role in m.choices.GLOBAL_ROLES])
    org = f.OrgFactory(
        name=text,
        description=text,
        logo_file=text,
        github_orgs=[text],
        output_checking_channel=text,
    )
    project = f.ProjectFactory(
        org=org,
        name=text,
        status_description=text,
        copilot=staff,
        copilot_notes=text,
        copilot_support_ends_at=now,
        number="7",
    )
    membership = f.ProjectMembershipFactory(project=project, user=developer, roles=["ProjectDeveloper"])
    application = f.ApplicationFactory(
        created_by=developer, study_name=text, status_comment=text, project=project
    )
    f.OrgMembershipFactory(org=org, user=developer)
    workspace = f.WorkspaceFactory(
        project=project,
        created_by=developer,
        branch=text,
        purpose=text,
        repo=f.RepoFactory(is_private=True, checked_at=now, check_failure=text, topics=[text]),
    )
    backend = f.BackendFactory(slug="tpp", name=text, rap_api_state={text: text})
    f.BackendMembershipFactory(backend=backend, user=developer)
    paused = {"creation_paused_at": now, "creation_paused_by_id": staff.id, "creation_pause_reason": text}
    f.BackendMembershipFactory(backend=f.BackendFactory(slug="emis", name=text, **paused), user=developer)
    values = {"workspace": workspace, "backend": backend, "created_by": developer, "branch": text}
    requests = [
        f.JobRequestFactory(
            **values,
            requested_actions=[text, "after"],
            cancelled_actions=[text],
            commit_message=text,
            project_definition=definition(text),
            analysis_scope={text: [text]},
            status=status,
            status_message=text,
            settled_at=now,
            jobs_failed=jobs,
        )
        for status, jobs in (("failed", 0), ("nothing_to_do", 0), ("failed", 1), ("running", 0))
    ]
    requests[-1].rerun_of_id = requests[-2].id
    jobs = [
        running.job(
            request,
            status,
            code,
            action=text,
            run_command=text,
            status_message=text,
            metrics={"cpu_mean": text, text: text, "mem_mb_peak": 10.5},
            trace_context={"traceparent": text, text: text},
            **more,
        )
        for request in requests[2:]
        for status, code, more in (
            ("failed", "nonzero_exit", {}),
            ("succeeded", "succeeded", {}),
            ("running", "executing", {}),
            ("pending", "waiting_on_dependencies", {}),
            ("failed", "cancelled_by_user", {}),
            (text, text, {"identifier": f"{text}{request.id}"}),
        )
    ]
    cancelled = m.Cancellation(
        job_request_id=requests[-1].id,
        actions=[text],
        sent_actions=[text],
        refusal=text,
        created_by_id=developer.id,
    )
    db.add(cancelled)
    for kind in m.HappeningKind:
        job = jobs[-1] if kind == "job" else None
        for request in requests if job is None else requests[-1:]:
            words = {"status": text, "status_code": text, "note": text}
            db.add(m.Happening(job_request_id=request.id, job_id=job and job.id, kind=kind, **words))
    _around(db, text, developer, staff, project, backend)
    file, snapshot, release_request = _came_out(db, text, workspace, backend, developer, staff)
    db.commit()
    running.refresh(db, requests[-1])
    return World(
        developer,
        staff,
        jobs[-6],
        backend,
        file,
        snapshot,
        release_request,
        membership,
        application,
    )


def _came_out(
    db: Session, text: str, workspace: m.Workspace, backend: m.Backend, developer: m.User, staff: m.User
) -> tuple[m.ReleaseFile, m.Snapshot, m.ReleaseRequest]:
    """A release with a file in every state, sets of files, and a release request that was returned."""
    now, words = utcnow(), {text: text}
    made = f.ReleaseFactory(
        workspace=workspace,
        backend=backend,
        created_by=staff,
        requested_files=[words],
        metadata_=words,
        review=words,
    )
    here = {"release": made, "metadata_": words, "uploaded_at": now, "uploaded_by": developer}
    files = [
        f.ReleaseFileFactory(**here, name=f"{text}a", path=f"{text}a"),
        f.ReleaseFileFactory(
            **here, name=text, path=text, deleted_at=now, deleted_by_id=staff.id, deleted_reason=text
        ),
        f.ReleaseFileFactory(release=made, name=f"{text}.csv"),
    ]
    review = {"status": "APPROVED", "comments": words, "created_by_id": staff.id}
    db.add(m.ReleaseFileReview(release_file_id=files[0].id, **review))
    decided = {"decision_at": now, "decision_by": staff, "decision_reason": text}
    words_of_set = {"created_by": developer, "title": text, "summary": text}
    public = f.SnapshotFactory(workspace=workspace, files=files, digest=text, **words_of_set)
    f.PublishRequestFactory(snapshot=public, decision="approved", **decided)
    draft = f.SnapshotFactory(workspace=workspace, files=files[:1], **words_of_set)
    f.PublishRequestFactory(
        snapshot=draft,
        decision="approved",
        unpublished_at=now,
        unpublished_by_id=staff.id,
        unpublished_reason=text,
        **decided,
    )
    asked = f.ReleaseRequestFactory(
        id=text.replace("/", ""),
        workspace=workspace,
        backend=backend,
        author=developer,
        state="returned",
        checking_repo=text,
        issue_repo=text,
        issue_number=1,
        issue_url=text,
    )
    for kind in m.choices.AirlockEventType:
        f.ReleaseRequestEventFactory(
            release_request=asked,
            event_type=kind,
            updates=[{"update": text, "group": text, "user": text}],
            issue_at=now,
            comment_url=text,
        )
    return files[0], draft, asked


def _around(
    db: Session, text: str, developer: m.User, staff: m.User, project: m.Project, backend: m.Backend
) -> None:
    """What is not on the way from the organisation to the job."""
    now = utcnow()
    identity = f.GithubIdentityFactory(user=developer, uid=text, login=text, extra_data={text: text})
    db.add(
        m.UserSession(
            user_id=developer.id,
            digest=text,
            user_agent=text,
            address=text,
            expires_at=now + timedelta(days=1),
        )
    )
    change = {"digest": text, "expires_at": now + timedelta(days=1)}
    db.add(m.EmailChange(user_id=developer.id, email=text, **change))
    token = {"digest": text, "scopes": ["releases"], "expires_at": now + timedelta(days=1)}
    db.add(m.PersonalToken(user_id=developer.id, name=text, **token))
    db.add(m.Stats(backend_id=backend.id, url=text, api_last_seen=now))
    db.add(m.ControllerContact(id=1, reached_at=now, failed_at=now, failure=text))
    # Heard from in time, however long the test takes.
    db.execute(insert(queue.WORKERS).values(last_heartbeat=now + timedelta(hours=1)))
    grant = {"kind": "dataset", "name": "appointments", "reason": text, "granted_by_id": staff.id}
    db.add(m.DataPermission(project_id=project.id, **grant))
    db.add(m.Redirect(org_id=project.org_id, old_url=f"/{text}/", created_by_id=staff.id))
    queue.defer(db, queue.Task.ANNOUNCE_NEW_USER, key=text, user_id=developer.id)
    db.execute(update(m.TaskRecord).values(last_error=text, failed_at=now))
    for level in m.AlertLevel:
        f.SiteAlertFactory(title=text, message=text, level=level)
    columns = [column.key for column in m.AuditableEvent.__table__.columns]
    no_words = {"id", "type", "created_at", "target_user_id", "actor_id", "changes", "source"}
    words = [each for each in columns if each not in no_words]
    values = {**dict.fromkeys(words, text), "changes": {text: [text, [text]]}}
    db.add(m.AuditableEvent(type=m.AuditType.PROJECT_CREATED, **values))
    assert identity.login == text


LINKS = SoupStrainer("a", href=True)


def crawl(browser: Browser, starts: list[str], most: int = 300) -> Iterator[tuple[str, Any]]:
    """Every page that can be reached by links of the site's own; of a page with a query, one of each kind."""
    waiting, seen = list(starts), set(starts)
    kinds: set[tuple[str, frozenset[str]]] = set()
    while waiting and most:
        address = waiting.pop(0)
        most -= 1
        answer = browser.get(address, status="*")
        yield address, answer
        if answer.content_type != "text/html":
            continue
        for link in BeautifulSoup(answer.text, "html.parser", parse_only=LINKS).find_all("a", href=True):
            target = urlsplit(urljoin(f"http://localhost{quote(address, safe='/%?&=')}", link["href"]))
            kind = (target.path, frozenset(name for name, _ in parse_qsl(target.query)))
            if target.netloc == "localhost" and kind not in kinds and "next" not in kind[1]:
                kinds.add(kind)
                wanted = target.path + (f"?{target.query}" if target.query else "")
                if wanted not in seen:
                    seen.add(wanted)
                    waiting.append(wanted)
