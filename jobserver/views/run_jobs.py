"""The page on which jobs are asked for: ``/<org>/<project>/<workspace>/run-jobs/`` (spec: rap 7)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config, view_defaults

from jobserver.forms.run_jobs import UPDATE_COMMAND, RunJobsForm, named
from jobserver.models import Backend, utcnow
from jobserver.queries import run_jobs as queries
from jobserver.queries.backends import BackendRow, active_backends
from jobserver.resources import WorkspaceResource
from jobserver.resources.links import view_url
from jobserver.security.permissions import Permission
from jobserver.studies import Study, StudyUnreadable
from jobserver.views import run_jobs_page as page
from jobserver.views.asking_for_jobs import MOST_KEPT, AskingForJobs


@view_defaults(context=WorkspaceResource, permission=Permission.JOB_RUN)
class RunJobs(AskingForJobs):
    """The form, the plan beside it, and sending it."""

    def __init__(self, context: WorkspaceResource, request: Request) -> None:
        super().__init__(context, request)
        self.context = context
        self.ref: str = "/".join(request.subpath) or request.GET.get("ref", "").strip()
        self.backends: list[BackendRow] = []

    @view_config(
        name="run-jobs",
        request_method="GET",
        subpath_allowed=True,
        renderer="jobserver:templates/run_jobs/form.jinja2",
    )
    def show(self) -> Any:
        """The form, with what the address says ticked."""
        stopped = self._stopped()
        if stopped is not None:
            return stopped
        try:
            study = self.study(self.ref)
        except StudyUnreadable as trouble:
            return self._unreadable(trouble)
        return self._page(self._asked_for(), study, preset=self.request.GET.get("preset", ""))

    @view_config(
        name="run-jobs",
        request_method="POST",
        subpath_allowed=True,
        repeatable=("requested_actions",),
        renderer="jobserver:templates/run_jobs/form.jinja2",
    )
    def send(self) -> Any:
        """Ask for the jobs; with ``look`` only show the form again, for browsers without script."""
        stopped = self._stopped()
        if stopped is not None:
            return stopped
        form = RunJobsForm(self.texts(self.request.POST))
        looking = "look" in self.request.POST
        sent = self.sent_before(form)
        if sent is not None and not looking:
            return HTTPSeeOther(self.request_url(sent))
        try:
            study = self.study(self.shown_commit(form) or self.ref)
        except StudyUnreadable as trouble:
            return self._unreadable(trouble)
        form.offer(self.backends, study.pipeline.requestable(), self.paused)
        if not looking and form.validate():
            made = self._create(form, study)
            if made is not None:
                return made
        return self._page(form, study)

    @view_config(
        name="run-jobs-plan", request_method="GET", renderer="jobserver:templates/run_jobs/fragment.jinja2"
    )
    def plan(self) -> Any:
        """The plan alone, for the form as it stands; and the actions, if the backend has changed."""
        self.backends = self.usable_backends()
        form = self._asked_for()
        try:
            commit = self.shown_commit(form)
            study = self.study(commit or self.ref, lately=bool(commit))
        except StudyUnreadable as trouble:
            return {"trouble": trouble, "backend": None}
        values = self._page(form, study)
        shown = self.request.GET.get("shown", "")
        return {**values, "trouble": None, "with_actions": form.backend.data != shown}

    def _stopped(self) -> Any:
        """What to answer if nothing can be run here whatever the study says; None if something can."""
        if self.workspace.is_archived:
            self.request.flash(
                "warning",
                f"The workspace {self.workspace.name} is archived. Unarchive it to run jobs in it.",
            )
            return HTTPSeeOther(view_url(self.request, self.context))
        self.backends = self.usable_backends()
        if self.backends:
            return None
        self.request.override_renderer = "jobserver:templates/run_jobs/no_backend.jinja2"
        offered = active_backends(self.request.db, for_user_id=self.request.identity.user_id)
        return {
            **self._frame(),
            "switched_off": [row.backend.name for row in offered if not row.takes_no_requests],
            "paused": self.paused,
            "has_some": bool(self.request.identity.backends),
        }

    def _asked_for(self) -> RunJobsForm:
        """The form as the address fills it in."""
        query = self.texts(self.request.GET)
        if not query.get("will_notify"):
            query["will_notify"] = str(self.workspace.should_notify)
        return RunJobsForm(query)

    def _create(self, form: RunJobsForm, study: Study) -> HTTPSeeOther | None:
        """Ask for the jobs; None if the form now says why not."""
        backend = next(row.backend for row in self.backends if row.backend.slug == form.backend.data)
        force = form.force_run_dependencies.data
        made = self.ask(form, study, backend, form.chosen, force=force, will_notify=form.wants_mail)
        if made is None:
            return None
        self.request.flash("success", f"Asked {backend.name} to run {named(form.chosen)}.")
        return HTTPSeeOther(self.request_url(made.id))

    def _page(self, form: RunJobsForm, study: Study, *, preset: str = "") -> dict[str, Any]:
        form.offer(self.backends, study.pipeline.requestable(), self.paused)
        ids = [row.backend.id for row in self.backends]
        before = queries.last_requests(self.request.db, self.workspace.id, ids)
        backend = self._backend(form, before)
        runs = {}
        if backend is not None:
            form.backend.data = backend.slug
            runs = queries.known_runs(self.request.db, self.workspace.id, backend.id, study.pipeline)
        presets = page.preset_values(study, runs)
        if preset in presets:
            form.requested_actions.data = presets[preset]
        known = [name for name in form.chosen if name in study.pipeline.requestable()]
        plan = study.plan(known, queries.states_of(runs), force=form.force_run_dependencies.data)
        form.commit.data = study.commit.sha
        form.once.data = form.identifier
        return {
            **self._frame(),
            "form": form,
            "study": study,
            "backend": backend,
            "backends": page.backend_details(self.backends, utcnow()),
            "paused": self.paused,
            "rows": page.action_rows(study, form, runs, self.request_url),
            "presets": [self._preset(name, values, preset, form) for name, values in presets.items()],
            "plan": page.plan_view(study, plan, runs, self.request_url),
            "before": before.get(backend.id) if backend else None,
            "update_command": UPDATE_COMMAND,
            "check_again": view_url(
                self.request,
                self.context,
                "run-jobs",
                query=[*self._kept(form), *(("requested_actions", name) for name in known[:MOST_KEPT])],
            ),
            "plan_url": view_url(self.request, self.context, "run-jobs-plan", query=self._ref_query()),
        }

    def _backend(self, form: RunJobsForm, before: Any) -> Backend | None:
        """The chosen backend; before a choice the only one, or the one last used in this workspace."""
        offered = {row.backend.slug: row.backend for row in self.backends}
        if form.backend.data:
            return offered.get(form.backend.data)
        if len(offered) == 1:
            return self.backends[0].backend
        last = max(before, key=lambda backend_id: before[backend_id].id, default=None)
        return next((backend for backend in offered.values() if backend.id == last), None)

    def _preset(self, name: str, values: list[str], chosen: str, form: RunJobsForm) -> dict[str, Any]:
        labels = {"failed": "Failed and blocked", "all": "All", "none": "None"}
        query = [*self._kept(form), ("preset", name)]
        item = {
            "label": labels[name],
            "href": view_url(self.request, self.context, "run-jobs", query=query),
            "values": values,
            "current": name == chosen,
        }
        return item if name == "none" else {**item, "count": len(values)}

    def _kept(self, form: RunJobsForm) -> list[tuple[str, str]]:
        """The choices as an address holds them, besides the actions."""
        kept = [*self._ref_query(), ("will_notify", str(form.wants_mail))]
        kept += [("backend", form.backend.data)] if form.backend.data else []
        return [*kept, ("force_run_dependencies", "on")] if form.force_run_dependencies.data else kept

    def _unreadable(self, trouble: StudyUnreadable) -> dict[str, Any]:
        """The page that says why, and keeps what was sent for another try."""
        other = bool(self.ref) or self.request.method == "POST"
        newest = view_url(self.request, self.context, "run-jobs") if other else ""
        return {**self._frame(), **self.unreadable(trouble, newest)}

    def _frame(self) -> dict[str, Any]:
        """Where the page is, and the way to another commit."""
        return {
            **self.frame("Run jobs", ("Run jobs", "")),
            "ref": self.ref,
            "action": view_url(self.request, self.context, "run-jobs", query=self._ref_query()),
        }

    def _ref_query(self) -> list[tuple[str, str]]:
        return [("ref", self.ref)] if self.ref else []
