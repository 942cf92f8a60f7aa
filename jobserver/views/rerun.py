"""The page that runs a request again: ``/<org>/<project>/<workspace>/<request>/run-again/`` (pages 30.6)."""

from collections.abc import Mapping
from typing import Any

from pyramid.httpexceptions import HTTPBadRequest, HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config, view_defaults

from jobserver.actions import job_requests
from jobserver.forms.run_jobs import UPDATE_COMMAND, RunJobsForm, named
from jobserver.queries import rerun as queries
from jobserver.queries import run_jobs
from jobserver.queries.run_jobs import LastRun
from jobserver.resources import JobRequestResource
from jobserver.resources.links import view_url
from jobserver.security.permissions import Permission
from jobserver.studies import Study, StudyUnreadable
from jobserver.views import run_jobs_page as page
from jobserver.views.asking_for_jobs import MOST_KEPT, AskingForJobs
from jobserver.views.on_github import OnGithub

WAYS = ("failed", "same")
COMMITS = ("same", "newest")


@view_defaults(context=JobRequestResource, permission=Permission.JOB_RUN)
class RunAgain(AskingForJobs):
    """What would run in one of two ways at one of two commits, and sending it.

    ``way``: what failed, or all with the same settings. ``at``: the commit of the request, or the branch's
    newest.
    """

    def __init__(self, context: JobRequestResource, request: Request) -> None:
        super().__init__(context, request)
        self.context = context
        self.job_request = context.job_request
        self.states = queries.outcomes(request.db, self.job_request.id)
        self.bad = queries.ended_badly(self.states)
        self.way = self._choice("way", WAYS) or ("failed" if self.bad else "same")
        self.at = self._choice("at", COMMITS) or "same"
        if not self.job_request.sha:
            self.at = "newest"

    @view_config(name="run-again", request_method="GET", renderer="jobserver:templates/rerun/page.jinja2")
    def show(self) -> dict[str, Any]:
        """The preview. Without anything that failed there is only one way."""
        if not self.bad:
            self.way = "same"
        try:
            study = self.study(self._ref)
        except StudyUnreadable as trouble:
            return self._unreadable(trouble)
        return self._page(RunJobsForm(), study)

    @view_config(name="run-again", request_method="POST", renderer="jobserver:templates/rerun/page.jinja2")
    def send(self) -> Any:
        """Ask for the jobs."""
        form = RunJobsForm(self.texts(self.request.POST))
        sent = self.sent_before(form)
        if sent is not None:
            return HTTPSeeOther(self.request_url(sent))
        try:
            study = self.study(self._ref or self.shown_commit(form))
        except StudyUnreadable as trouble:
            return self._unreadable(trouble)
        again = self._again(study)
        if not again.actions:
            form.form_errors.append("No action is left to run in this way. Choose the other way.")
            return self._page(form, study)
        made = self.ask(
            form,
            study,
            self.job_request.backend,
            list(again.actions),
            force=again.force,
            will_notify=self.job_request.will_notify,
            rerun_of_id=self.job_request.id,
        )
        if made is None:
            return self._page(form, study)
        what = f"{named(again.actions)} again, as request {self.job_request.id} did"
        self.request.flash("success", f"Asked {self.job_request.backend.name} to run {what}.")
        return HTTPSeeOther(self.request_url(made.id))

    def _choice(self, name: str, words: tuple[str, ...]) -> str:
        fields = self.request.POST if self.request.method == "POST" else self.request.GET
        word = fields.get(name, "")
        if word not in {*words, ""}:
            raise HTTPBadRequest(f"“{name}” must be one of: {', '.join(words)}.")
        return str(word)

    @property
    def _ref(self) -> str:
        return self.job_request.sha if self.at == "same" else ""

    def _again(self, study: Study) -> queries.Again:
        way: queries.Way = "failed" if self.way == "failed" else "same"
        return queries.again(way, self.job_request, self.states, study.pipeline)

    def _page(self, form: RunJobsForm, study: Study) -> dict[str, Any]:
        backend, again = self.job_request.backend, self._again(study)
        runs = run_jobs.known_runs(self.request.db, self.workspace.id, backend.id, study.pipeline)
        plan = study.plan(again.actions, run_jobs.states_of(runs), force=again.force)
        refusal = job_requests.why_not(
            self.request.db,
            self.workspace,
            backend,
            self.request.identity.user_id,
            creation_disabled=self.creation_disabled,
        )
        github = OnGithub(self.request.registry["settings"], self.workspace.repo)
        form.commit.data, form.once.data = study.commit.sha, form.identifier
        return {
            **self._frame(),
            "form": form,
            "study": study,
            "backend": backend,
            "again": again,
            "plan": page.plan_view(study, plan, runs, self.request_url),
            "since": sorted({run.result_in for run in self._succeeded_since(again, runs)}),
            "refusal": str(refusal) if refusal else "",
            "before": None,
            "update_command": UPDATE_COMMAND,
            "check_again": self._url(),
            "compare_url": github.compare(self.job_request.sha, study.commit.sha),
            "choose_url": self._choose_url(study, again),
        }

    def _succeeded_since(self, again: queries.Again, runs: Mapping[str, LastRun]) -> list[LastRun]:
        """Later successes of what ended badly here: somebody may have run it again already."""
        found = [runs[name] for name in again.actions if name in runs and name in self.bad]
        return [run for run in found if run.result == "succeeded" and run.result_in != self.job_request.id]

    def _choose_url(self, study: Study, again: queries.Again) -> str:
        """The run form with the same ticked, where everything can be chosen."""
        query = [("backend", self.job_request.backend.slug), ("ref", study.commit.sha)]
        query += [("requested_actions", name) for name in again.actions[:MOST_KEPT]]
        query += [("force_run_dependencies", "on")] if again.force else []
        query += [("will_notify", str(self.job_request.will_notify))]
        return view_url(self.request, self.context.__parent__, "run-jobs", query=query)

    def _unreadable(self, trouble: StudyUnreadable) -> dict[str, Any]:
        newest = self._url(at="newest") if self.at == "same" else ""
        return {**self._frame(), **self.unreadable(trouble, newest)}

    def _url(self, **changes: str) -> str:
        query = {"way": self.way, "at": self.at, **changes}
        return view_url(self.request, self.context, "run-again", query=query)

    def _frame(self) -> dict[str, Any]:
        row = self.job_request
        title = f"Run request {row.id} again"
        here = view_url(self.request, self.context)
        ended = [self.states[name] for name in self.bad]
        return {
            **self.frame(title, (f"Request {row.id}", here), ("Run again", "")),
            "job_request": row,
            "job_request_url": here,
            "way": self.way,
            "at": self.at,
            "bad": {state: ended.count(state) for state in ("failed", "cancelled")},
            "action": view_url(self.request, self.context, "run-again"),
            "ways": [
                {"label": label, "href": self._url(way=way), "current": way == self.way}
                for way, label in (("failed", "What failed"), ("same", "All of it"))
                if way == "same" or self.bad
            ],
            "commits": [
                {"label": label, "href": self._url(at=at), "current": at == self.at}
                for at, label in (("same", "The same commit"), ("newest", "The newest commit"))
                if at == "newest" or row.sha
            ],
        }
