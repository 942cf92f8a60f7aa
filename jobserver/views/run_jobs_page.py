"""What the run form shows beside its fields: rows of actions, presets, the backends' states, the plan."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jobserver.forms.run_jobs import RunJobsForm
from jobserver.pipeline import RUN_ALL, Plan
from jobserver.queries.backends import NOT_SEEN, BackendRow
from jobserver.queries.run_jobs import LastRun
from jobserver.studies import Study
from jobserver.templating.states import STATES, State, state_of
from jobserver.templating.times import ago

Url = Callable[[int], str]
# What the state of a backend means for a request.
_MEANING = {
    NOT_SEEN: "Requests wait until it is in contact. ",
    STATES["no_contact"]: "Last heard from {seen}; requests wait. ",
    STATES["paused"]: "New jobs wait until it goes on. ",
    STATES["maintenance"]: "Database actions wait. ",
}


@dataclass(frozen=True)
class ActionRow:
    """One action that can be ticked; ``needs`` none for ``run_all``, which stands for all of them."""

    name: str
    needs: Sequence[str]
    is_everything: bool
    reads_database: bool
    ticked: bool
    state: State | None
    at: datetime | None
    url: str
    took: timedelta | None


@dataclass(frozen=True)
class Planned:
    """An action of the plan: how long it took last, what it waits for, or whose result is used."""

    name: str
    took: timedelta | None = None
    after: Sequence[str] = ()
    request_id: int | None = None
    url: str = ""


@dataclass(frozen=True)
class PlanView:
    """What would happen. ``longest``: how long the longest chain takes if nothing waits, if that is known."""

    runs: Sequence[Planned]
    waits: Sequence[Planned]
    reuses: Sequence[Planned]
    refused: Sequence[str]
    longest: timedelta | None


def action_rows(study: Study, form: RunJobsForm, runs: Mapping[str, LastRun], url: Url) -> list[ActionRow]:
    """The actions in file order, then ``run_all``."""
    ticked = set(form.chosen)
    rows = []
    for name in study.pipeline.requestable():
        action, run = study.pipeline.actions.get(name), runs.get(name)
        rows.append(
            ActionRow(
                name=name,
                needs=action.needs if action else (),
                is_everything=name == RUN_ALL,
                reads_database=bool(action and action.reads_database),
                ticked=name in ticked,
                state=state_of(run.status, run.status_code) if run else None,
                at=run.at if run else None,
                url=url(run.job_request_id) if run else "",
                took=run.took if run else None,
            )
        )
    return rows


def preset_values(study: Study, runs: Mapping[str, LastRun]) -> dict[str, list[str]]:
    """The groups of actions that can be ticked at once. A blocked action has failed too (spec: rap 3.3)."""
    names = [name for name in study.pipeline.actions if name != RUN_ALL]
    failed = [name for name in names if (run := runs.get(name)) and run.result == "failed"]
    return {"failed": failed, "all": names, "none": []}


def plan_view(study: Study, plan: Plan, runs: Mapping[str, LastRun], url: Url) -> PlanView:
    """The plan with what is known from earlier runs."""
    needs = {name: study.pipeline.actions[name].needs for name in plan.run}
    coming = {*plan.run, *plan.wait}

    def earlier(name: str) -> Planned:
        run = runs[name]
        return Planned(name, request_id=run.result_in, url=url(run.result_in) if run.result_in else "")

    took = {name: runs[name].took if name in runs else None for name in plan.run}
    return PlanView(
        runs=[
            Planned(name, took[name], [need for need in needs[name] if need in coming]) for name in plan.run
        ],
        waits=[earlier(name) for name in plan.wait],
        reuses=[earlier(name) for name in plan.reuse],
        refused=study.refused(plan),
        longest=None if plan.wait else longest_chain(plan.run, needs, took),
    )


def longest_chain(
    names: Sequence[str], needs: Mapping[str, Sequence[str]], took: Mapping[str, timedelta | None]
) -> timedelta | None:
    """The longest way through the actions, each starting when all it needs have ended; None if unknown."""
    ends: dict[str, timedelta] = {}
    waiting = list(names)
    while waiting:
        name = waiting[-1]
        before = [need for need in needs[name] if need in needs]
        missing = [need for need in before if need not in ends]
        if missing:
            waiting.extend(missing)
            continue
        waiting.pop()
        own = took[name]
        if own is None:
            return None
        ends[name] = max((ends[need] for need in before), default=timedelta()) + max(own, timedelta())
    return max(ends.values(), default=None)


def backend_details(backends: Iterable[BackendRow], now: datetime) -> dict[str, dict[str, Any]]:
    """The state of each backend, what that means for a request, and its queue."""
    return {row.backend.slug: _details(row, now) for row in backends}


def _details(row: BackendRow, now: datetime) -> dict[str, Any]:
    state, seen = row.shown(now), row.backend.last_seen_at
    means = _MEANING.get(state, "").format(seen=ago(seen, now) if seen else "")
    return {"state": state, "sub": f"{means}{row.running:,} running, {row.pending:,} pending."}
