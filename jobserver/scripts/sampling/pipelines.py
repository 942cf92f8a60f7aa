"""What the sample studies run: a valid ``project.yaml`` of any number of actions, and how long each takes."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

_GROUPS = ("all", "age", "sex", "ethnicity", "region", "imd", "rural", "care_home", "smoking", "bmi")
_OUTCOMES = ("stroke", "infarction", "admission", "death", "referral", "relapse", "fracture", "sepsis")

# Parts of a group of actions: image, script, which earlier parts it needs, seconds, memory in MB.
_PARTS: tuple[tuple[str, str, tuple[int, ...], float, float], ...] = (
    ("process", "python:v2 python analysis/process.py", (), 600, 2_000),
    ("describe", "python:v2 python analysis/describe.py", (0,), 120, 900),
    ("model", "r:v2 analysis/model.R", (0,), 1_800, 6_000),
    ("sensitivity", "r:v2 analysis/sensitivity.R", (0,), 2_400, 7_000),
    ("table", "r:v2 analysis/table.R", (2, 3), 60, 500),
    ("figure", "r:v2 analysis/figure.R", (4,), 90, 800),
    ("report", "python:v2 jupyter nbconvert analysis/report.ipynb", (1, 5), 45, 600),
)
_DATASET_SECONDS, _DATASET_MEMORY = 3_600, 1_500


@dataclass(frozen=True)
class Step:
    """One action. ``needs`` are positions of earlier ones."""

    name: str
    command: str
    needs: tuple[int, ...]
    seconds: float
    memory: float
    level: str
    output: str


@dataclass(frozen=True)
class SamplePipeline:
    """Actions in an order in which each comes after what it needs."""

    steps: tuple[Step, ...]

    @cached_property
    def newest(self) -> str:
        """The file in the newest version of its format."""
        return _text(self.steps, "5")

    @cached_property
    def older(self) -> str:
        """The file as it was written years ago."""
        return _text(self.steps, "4.0")

    def wanted(self, start: int, number: int) -> list[str]:
        """What somebody asked for who got these jobs: all, or those that no other of them needs."""
        if number == len(self.steps):
            return ["run_all"]
        chosen = range(start, start + number)
        needed = {need for index in chosen for need in self.steps[index].needs}
        return [self.steps[index].name for index in chosen if index not in needed]


def pipeline(actions: int, number: int) -> SamplePipeline:
    """A study of so many actions; studies of different numbers ask different questions."""
    dataset = Step(
        "generate_dataset",
        "ehrql:v1 generate-dataset analysis/dataset_definition.py --output output/dataset.csv.gz",
        (),
        _DATASET_SECONDS,
        _DATASET_MEMORY,
        "highly_sensitive",
        "output/dataset.csv.gz",
    )
    steps = [dataset]
    while len(steps) < actions:
        steps += _group(number + (len(steps) - 1) // len(_PARTS), first=len(steps))
    return SamplePipeline(tuple(steps[:actions]))


def _group(number: int, first: int) -> Iterable[Step]:
    cycle, place = divmod(number, len(_GROUPS) * len(_OUTCOMES))
    by, outcome = _GROUPS[place % len(_GROUPS)], _OUTCOMES[place // len(_GROUPS)]
    subject = f"{outcome}_{by}" + (f"_{cycle + 1}" if cycle else "")
    for part, (kind, command, needs, seconds, memory) in enumerate(_PARTS):
        name = f"{kind}_{subject}"
        yield Step(
            name,
            f"{command} --outcome {outcome} --by {by} --part {number * len(_PARTS) + part}",
            tuple(first + need for need in needs) if needs else (0,),
            seconds,
            memory,
            "moderately_sensitive" if kind != "process" else "highly_sensitive",
            f"output/{subject}/{kind}.csv" + (".gz" if kind == "process" else ""),
        )


def _text(steps: Iterable[Step], version: str) -> str:
    known = tuple(steps)
    parts = [f'version: "{version}"\n\nactions:\n']
    for step in known:
        needs = ", ".join(known[need].name for need in step.needs)
        parts.append(
            f"  {step.name}:\n    run: {step.command}\n"
            + (f"    needs: [{needs}]\n" if needs else "")
            + f"    outputs:\n      {step.level}:\n        result: {step.output}\n"
        )
    return "".join(parts)
