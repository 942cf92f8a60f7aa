"""Which jobs the controller will make of a request (spec: rap 1.3 step 5)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """What would happen to each action of a request, by name in file order.

    `run`: a new job. `wait`: a job of it is pending or running already and is waited for. `reuse`: it
    succeeded before, and what it wrote is used again. `reads_database`: those of `run` that read patient
    data, which the controller refuses to make while codelists are out of date.
    """

    run: tuple[str, ...]
    wait: tuple[str, ...]
    reuse: tuple[str, ...]
    reads_database: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """A request of which no job is known yet: its id, the actions it names, and whether it forces needs."""

    id: int
    actions: Sequence[str]
    force: bool = False


def make_plan(
    *,
    start: Iterable[str],
    named: Collection[str],
    needs: Callable[[str], Iterable[str]],
    states: Mapping[str, str | None],
    force: bool,
) -> dict[str, str]:
    """Each action reached from `start`, and what happens to it: `run`, `wait` or `reuse`.

    `named` are those asked for by name; they run again though they succeeded. Needs are followed only from
    actions that run: one that is waited for or reused does not ask for anything.
    """
    fates: dict[str, str] = {}
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name in fates:
            continue
        fates[name] = _fate(states.get(name), name in named or force)
        if fates[name] == "run":
            waiting.extend(needs(name))
    return fates


def _fate(state: str | None, again: bool) -> str:
    if state in ("pending", "running"):
        return "wait"
    if state == "succeeded" and not again:
        return "reuse"
    return "run"
