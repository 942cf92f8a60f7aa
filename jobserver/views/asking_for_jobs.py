"""What the pages that ask for jobs have in common: where, who, the study, and sending."""

from typing import Any

from pyramid.request import Request
from webob.multidict import MultiDict

from jobserver.actions import job_requests
from jobserver.db import release_connection
from jobserver.forms.run_jobs import UPDATE_COMMAND, RunJobsForm, usable
from jobserver.models import Backend, JobRequest
from jobserver.queries import run_jobs as queries
from jobserver.queries.backends import BackendRow, active_backends
from jobserver.resources import JobRequestResource, WorkspaceResource
from jobserver.resources.links import page_url
from jobserver.studies import Place, Study, StudyReader, StudyUnreadable, is_full, ref_missing
from jobserver.views.breadcrumbs import breadcrumbs

# So many ticked actions fit into an address.
MOST_KEPT = 100
# A plan that is only looked at may be made of what was read a little while ago.
RECENT = 300


class AskingForJobs:
    """A workspace, or a request in it, and somebody who wants jobs to be run there."""

    def __init__(self, context: WorkspaceResource | JobRequestResource, request: Request) -> None:
        self.request = request
        self.workspace = context.workspace
        self.org = context.org
        self.project = context.project
        self.paused: list[Backend] = []

    def usable_backends(self) -> list[BackendRow]:
        """The person's active backends that new requests may be made for just now, by name.

        Those that operators have paused are kept aside: people are told why.
        """
        offered = active_backends(self.request.db, for_user_id=self.request.identity.user_id)
        self.paused = [row.backend for row in offered if row.takes_no_requests]
        return usable(offered, creation_disabled=self.creation_disabled)

    @property
    def creation_disabled(self) -> bool:
        """Whether operators have switched off requests for the backends that belong together."""
        return bool(self.request.registry["settings"].disable_creating_jobs)

    def study(self, ref: str, *, lately: bool = False) -> Study:
        """The study at a commit, tag or branch, or at the branch's newest commit; see :class:`StudyReader`.

        ``lately``: at a full commit id, as it was read a little while ago.
        """
        repo = self.workspace.repo
        permitted = queries.may_use_sqlrunner(self.request.db, self.workspace.project_id)
        place = Place(repo.owner, repo.name, self.workspace.branch, permitted)
        release_connection(self.request)
        reader = _reader(self.request)
        return reader.lately(place, ref, seconds=RECENT) if lately else reader.read(place, ref)

    def shown_commit(self, form: RunJobsForm) -> str:
        """The commit that the page showed; "" if none. Raises :class:`StudyUnreadable` for anything else."""
        commit = form.commit.data or ""
        if commit and not is_full(commit):
            repo = self.workspace.repo
            raise ref_missing(Place(repo.owner, repo.name, self.workspace.branch), commit)
        return commit

    @staticmethod
    def texts(fields: Any) -> MultiDict:
        """The fields without uploaded files, which no field of these forms takes."""
        return MultiDict((name, value) for name, value in fields.items() if isinstance(value, str))

    def ask(
        self,
        form: RunJobsForm,
        study: Study,
        backend: Backend,
        actions: list[str],
        *,
        force: bool,
        will_notify: bool,
        rerun_of_id: int | None = None,
    ) -> JobRequest | None:
        """Ask for the jobs; None if the form now says why not."""
        runs = queries.known_runs(self.request.db, self.workspace.id, backend.id, study.pipeline)
        refused = study.refused(study.plan(actions, queries.states_of(runs), force=force))
        if refused:
            form.refuse(refused, study.codelists)
            return None
        try:
            return job_requests.create(
                self.request.db,
                workspace=self.workspace,
                backend=backend,
                by=self.request.identity,
                commit=study.commit.sha,
                commit_message=study.commit.message,
                branch=self.workspace.branch,
                project_definition=study.definition,
                codelists_ok=study.codelists_ok,
                requested_actions=actions,
                force_run_dependencies=force,
                will_notify=will_notify,
                creation_disabled=self.creation_disabled,
                identifier=form.identifier,
                rerun_of_id=rerun_of_id,
            )
        except job_requests.CannotCreate as error:
            form.form_errors.append(str(error))
            return None

    def sent_before(self, form: RunJobsForm) -> int | None:
        """The id of the request that this form has made already."""
        user_id = self.request.identity.user_id
        return queries.sent_before(self.request.db, form.identifier, user_id, self.workspace.id)

    def unreadable(self, trouble: StudyUnreadable, newest: str) -> dict[str, Any]:
        """What the page has that says why the study cannot be used; it keeps what was sent.

        ``newest``: the address of this page for the branch's newest commit, "" if it is about that one.
        """
        self.request.override_renderer = "jobserver:templates/run_jobs/unreadable.jinja2"
        posted = self.texts(self.request.POST) if self.request.method == "POST" else {}
        return {
            "trouble": trouble,
            "update_command": UPDATE_COMMAND,
            "kept": [(name, value) for name, value in posted.items() if name != "csrfmiddlewaretoken"],
            "try_again": self.request.path_qs,
            "newest": newest,
        }

    def frame(self, title: str, *ends: Any) -> dict[str, Any]:
        """What all these pages show: where they are. ``ends``: the way on from the workspace."""
        return {
            "page_name": title,
            "workspace": self.workspace,
            "repo": self.workspace.repo,
            "workspace_url": page_url(self.request, *self.workspace.path),
            "run_jobs_url": page_url(self.request, *self.workspace.path, "run-jobs"),
            "request_url": self.request_url,
            "breadcrumbs": breadcrumbs(self, self.request, *ends),
        }

    def request_url(self, job_request_id: int) -> str:
        """The page of a request of this workspace."""
        return page_url(self.request, *self.workspace.path, job_request_id)


def _reader(request: Request) -> StudyReader:
    """The reader of this process."""
    registry, clients = request.registry, request.clients
    if "study_reader" not in registry:
        registry["study_reader"] = StudyReader(clients.github, clients.opencodelists)
    found: StudyReader = registry["study_reader"]
    return found
