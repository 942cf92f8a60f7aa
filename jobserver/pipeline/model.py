"""What a valid `project.yaml` says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jobserver.pipeline.commands import Command
from jobserver.pipeline.faults import Fault, shown
from jobserver.pipeline.plan import Asked, Plan, make_plan

RUN_ALL = "run_all"


class UnknownAction(LookupError):
    """A name that is no action of the file."""

    def __init__(self, name: str) -> None:
        super().__init__(f"`{shown(name)}` is not an action of project.yaml.")
        self.name = name


@dataclass(frozen=True)
class Action:
    """One action: a command, the actions whose outputs it needs, and the files it writes.

    `outputs`: privacy level -> name -> path. `config`: plain values for the command's `--config`, or None.
    `line`: where its name stands, from 1.
    """

    name: str
    command: Command
    needs_as_written: tuple[str, ...]
    outputs: Mapping[str, Mapping[str, str]]
    config: Mapping[str, object] | None
    dummy_data_file: str | None
    line: int

    @property
    def run(self) -> str:
        """The command as written."""
        return self.command.text

    @property
    def needs(self) -> tuple[str, ...]:
        """The needed actions as pages show them: sorted, each once."""
        return tuple(sorted(set(self.needs_as_written)))

    @property
    def image(self) -> str:
        """Name of the image, such as `python`; may be that of a reusable action."""
        return self.command.image

    @property
    def version(self) -> str:
        """Version of the image, such as `v2`."""
        return self.command.version

    @property
    def reads_database(self) -> bool:
        """Whether patient data are read; decides on codelists, maintenance and the analysis scope."""
        return self.command.reads_database

    @property
    def uses_cohortextractor(self) -> bool:
        """Whether the name of the image has `cohortextractor` in it (spec: rap 7.2 step 3)."""
        return "cohortextractor" in self.image.casefold()

    @property
    def uses_sqlrunner(self) -> bool:
        """Whether the name of the image has `sqlrunner` in it (spec: rap 7.2 step 4)."""
        return "sqlrunner" in self.image.casefold()


@dataclass(frozen=True)
class Pipeline:
    """A valid file: its version, its actions in file order, and what is doubtful about it.

    `version` is one of 1 to 5, or another number that the controller lets pass, with a warning.
    """

    version: float
    actions: Mapping[str, Action]
    warnings: tuple[Fault, ...] = ()

    def requestable(self) -> list[str]:
        """What may be asked for: the actions in file order, then `run_all` unless it is one of them."""
        names = list(self.actions)
        return names if RUN_ALL in self.actions else [*names, RUN_ALL]

    def plan(self, requested: Iterable[str], states: Mapping[str, str | None], force: bool = False) -> Plan:
        """What the controller would do with a request (spec: rap 1.3 step 5).

        `states`: the state of each action's latest job on the backend, ignoring cancelled ones: `pending`,
        `running`, `succeeded`, `failed`; absent, None or anything else means it never ran. Actions that are
        only part of `run_all` do not count as named. Raises UnknownAction.
        """
        asked = list(requested)
        fates = make_plan(
            start=self._expanded(asked),
            named=set(asked) - {RUN_ALL},
            needs=lambda name: self.actions[name].needs_as_written,
            states=states,
            force=force,
        )

        def those(fate: str) -> tuple[str, ...]:
            return tuple(name for name in self.actions if fates.get(name) == fate)

        run = those("run")
        database = tuple(name for name in run if self.actions[name].reads_database)
        return Plan(run=run, wait=those("wait"), reuse=those("reuse"), reads_database=database)

    def under_way(self, requests: Iterable[Asked], states: Mapping[str, str | None]) -> dict[str, int]:
        """The actions of which these requests will have jobs, each with the id of the first that does.

        The requests are those that the controller has, or will get, before one that is made now, oldest
        first. Names that are no actions of this file count for nothing.
        """
        found: dict[str, int] = {}
        for request in requests:
            known = [name for name in request.actions if name in self.actions or name == RUN_ALL]
            plan = self.plan(known, {**states, **dict.fromkeys(found, "pending")}, request.force)
            found.update(dict.fromkeys(plan.run, request.id))
        return found

    def dependents_of(self, names: Iterable[str], among: Iterable[str]) -> list[str]:
        """Those of ``among`` that need one of these actions, however indirectly, in file order.

        The actions themselves are not among them.
        """
        names = list(names)
        needed_by: dict[str, list[str]] = {}
        for action in self.actions.values():
            for need in action.needs_as_written:
                needed_by.setdefault(need, []).append(action.name)
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            fresh = set(needed_by.get(waiting.pop(), ())) - found
            found |= fresh
            waiting.extend(fresh)
        wanted = (found & set(among)) - set(names)
        return [name for name in self.actions if name in wanted]

    def refused_images(self, sqlrunner_permitted: bool) -> list[Fault]:
        """Images that job server itself refuses (spec: rap 7.2 steps 3 and 4), one fault for each action."""
        faults = []
        for action in self.actions.values():
            shown_name = shown(action.name)
            if action.uses_cohortextractor:
                message = f"cohortextractor is no longer supported (action `{shown_name}`)."
            elif action.uses_sqlrunner and not sqlrunner_permitted:
                message = f"This project may not use sqlrunner (action `{shown_name}`)."
            else:
                continue
            faults.append(Fault("image", message, action.line, action.name))
        return faults

    def _action(self, name: str) -> Action:
        if name not in self.actions:
            raise UnknownAction(name)
        return self.actions[name]

    def _expanded(self, names: Iterable[str]) -> Iterable[str]:
        expanded: dict[str, None] = {}
        for name in names:
            if name == RUN_ALL:
                expanded.update((other, None) for other in self.actions if other != RUN_ALL)
            else:
                expanded[self._action(name).name] = None
        return expanded
