"""What the controller does with a create call once its body is well formed (spec: rap 1.3)."""

import re
import shlex
from dataclasses import dataclass
from typing import Any

from simulator import git
from simulator.rap import jobs, study
from simulator.rap.jobs import Job
from simulator.rap.study import Action, ProjectInvalid, Unforeseen
from simulator.repositories import Repositories
from simulator.store import Store

GITHUB = "https://github.com"


class Refused(Exception):
    """The controller makes no jobs; the text is meant for the user."""


@dataclass(frozen=True)
class Answer:
    """Status and body of the answer."""

    status: int
    body: dict[str, Any]


def create(
    store: Store, repositories: Repositories, body: dict[str, Any], allowed: list[str], now: float
) -> Answer:
    """Makes the jobs that the call asks for, if it may and there is anything to do."""
    if body["backend"] not in allowed:
        return _failure("Unknown error")
    with store.transaction():
        existing = jobs.select(store, "rap_id = ?", body["rap_id"])
        if existing:
            return _repeated(existing, body)
        try:
            new = _new_jobs(store, repositories, body, now)
        except (Refused, ProjectInvalid) as refusal:
            return _failure(str(refusal))
        except (Unforeseen, ValueError):
            return _failure("Unknown error")
        for job in new:
            jobs.save(store, job)
    if new:
        return Answer(201, _success(body, "Success", "Jobs created for rap_id {!r}", len(new)))
    if study.RUN_ALL in body["requested_actions"]:
        return Answer(
            200, _success(body, "Nothing to do", "All actions have already completed successfully", 0)
        )
    return Answer(
        200, _success(body, "Nothing to do", "All requested actions were already scheduled to run", 0)
    )


def _failure(details: str) -> Answer:
    return Answer(400, {"error": "Error creating jobs", "details": details})


def _success(body: dict[str, Any], result: str, details: str, count: int) -> dict[str, Any]:
    rap_id = body["rap_id"]
    return {"result": result, "details": details.format(rap_id), "rap_id": rap_id, "count": count}


def _repeated(existing: list[Job], body: dict[str, Any]) -> Answer:
    first = existing[0]
    if (first.repo_url, first.workspace, first.commit_sha) == (
        body["repo_url"],
        body["workspace"],
        body["commit"],
    ):
        return Answer(200, _success(body, "No change", "Jobs already created for rap_id {!r}", len(existing)))
    details = f"Jobs already created for rap_id {body['rap_id']!r} are inconsistent with request data"
    return Answer(400, {"error": "Inconsistent request data", "details": details})


def _new_jobs(store: Store, repositories: Repositories, body: dict[str, Any], now: float) -> list[Job]:
    if not re.fullmatch(r"[a-zA-Z0-9_-]+", body["workspace"]):
        raise Refused("Invalid workspace name (allowed are alphanumeric, dash and underscore)")
    repository = _repository(repositories, body)
    content = repository.read(body["commit"], "project.yaml")
    if content is None:
        raise Refused(f"No project.yaml file found in {body['repo_url']}")
    try:
        actions = study.read(content)
    except ProjectInvalid as fault:
        raise Refused(f"Invalid project: \n{fault}") from fault
    new = _Decision(store, actions, body).new_jobs()
    commands = {action.name: _command(repositories, action) for action, _needs in new}
    if not body["codelists_ok"]:
        for action, _needs in new:
            if action.reads_database:
                raise Refused(f"Codelists are out of date (required by action {action.name})")
    return [_job(repositories, body, action, commands[action.name], needs, now) for action, needs in new]


def _job(
    repositories: Repositories,
    body: dict[str, Any],
    action: Action,
    command: str,
    needs: list[str],
    now: float,
) -> Job:
    plan = repositories.action_plan(body["repo_url"].removeprefix(GITHUB).strip("/"), action.name)
    identifier = jobs.identifier(body["rap_id"], action.name)
    return Job(
        identifier=identifier,
        rap_id=body["rap_id"],
        backend=body["backend"],
        workspace=body["workspace"],
        repo_url=body["repo_url"],
        commit_sha=body["commit"],
        action=action.name,
        run_command=command,
        requires_db=action.reads_database,
        wait_for=needs,
        created_at=now,
        updated_at=now,
        seconds=repositories.config.simulator.default_seconds if plan.seconds is None else plan.seconds,
        outcome=plan.outcome,
        outcome_message=plan.message,
        traceparent=jobs.traceparent(identifier),
    )


def _repository(repositories: Repositories, body: dict[str, Any]) -> git.Git:
    url, branch, commit = body["repo_url"], body["branch"], body["commit"]
    if not url.startswith(GITHUB):
        raise Refused(f"Repository URL {url} does not start with {GITHUB}")
    form = re.fullmatch(rf"{GITHUB}/([^/]+)/([^/]+)/?", url)
    if not form:
        raise Refused(
            f"Repository {url} was not of the expected format: {GITHUB}/[organisation]/[project-name]"
        )
    owner, name = form.groups()
    allowed = repositories.config.simulator.allowed_github_orgs
    if owner not in allowed:
        raise Refused(
            f"Repository {url} does not belong to one of the allowed organisations: {' '.join(allowed)}"
        )
    repository = repositories.find(owner, name)
    if repository is None:
        raise Refused(f"Could not read from {url}")
    head = repository.git.branch(branch)
    if head is None:
        raise Refused(f"Could not find branch {branch!r}")
    if not repository.git.is_ancestor(commit, head):
        raise Refused(f"Could not find commit on branch {branch!r}: {commit}")
    return repository.git


class _Decision:
    """Which jobs to make (the table of spec: rap 1.3 step 5)."""

    def __init__(self, store: Store, actions: dict[str, Action], body: dict[str, Any]) -> None:
        self.actions = actions
        self.rap_id = body["rap_id"]
        self.named = [name for name in body["requested_actions"] if name != study.RUN_ALL]
        self.everything = study.RUN_ALL in body["requested_actions"]
        self.force = body["force_run_dependencies"]
        self.latest: dict[str, Job] = {
            job.action: job
            for job in jobs.select(
                store, "workspace = ? AND backend = ? AND NOT cancelled", body["workspace"], body["backend"]
            )
        }
        self.new: dict[str, tuple[Action, list[str]]] = {}
        self.path: list[str] = []

    def new_jobs(self) -> list[tuple[Action, list[str]]]:
        """Actions that need a new job, dependencies first, each with the jobs that it waits for."""
        for name in self.named:
            if name not in self.actions:
                raise Refused(f"Action '{name}' not found in project.yaml")
        wanted = [name for name in self.actions if name != study.RUN_ALL] if self.everything else []
        for name in [*wanted, *self.named]:
            self._decide(name)
        return list(self.new.values())

    def _decide(self, name: str) -> str | None:
        """Plans the action if it has to run; returns the job that its dependents wait for, if any."""
        if name in self.new:
            return jobs.identifier(self.rap_id, name)
        if name in self.path:
            raise Unforeseen
        previous = self.latest.get(name)
        if previous and previous.active:
            return previous.identifier
        if previous and previous.status == "succeeded" and name not in self.named and not self.force:
            return None
        self.path.append(name)
        needs = [self._decide(need) for need in self.actions[name].needs]
        self.path.pop()
        self.new[name] = (self.actions[name], [need for need in needs if need])
        return jobs.identifier(self.rap_id, name)


def _command(repositories: Repositories, action: Action) -> str:
    """The command that the job runs: for a reusable action the one its repository names."""
    first, *rest = shlex.split(action.run)
    image, _, tag = first.partition(":")
    if image in study.IMAGES:
        return action.run
    owner = repositories.config.simulator.actions_github_org
    url = f"{GITHUB}/{owner}/{image}"
    where = f"in '{action.name}: {first}'"
    repository = repositories.find(owner, image)
    if repository is None:
        raise Refused(
            f"{where} could not find a repo at {url}\n"
            f"Check that '{image}' is in the list of available actions at https://actions.opensafely.org"
        )
    commit = repository.git.tag(tag)
    if commit is None:
        raise Refused(f"{where} '{tag}' is not a tag listed in {url}/tags")
    main = repository.git.branch("main")
    if main is None or not repository.git.is_ancestor(commit, main):
        raise Refused(f"{where} '{tag}' has not been approved: it is not merged to the main branch of {url}")
    content = repository.git.read(commit, "action.yaml")
    own = study.reusable_command(content)
    if own is None:
        raise Refused(f"{where} is not a valid reusable action: {url}/blob/{tag}/action.yaml")
    return shlex.join([*own, *rest])
