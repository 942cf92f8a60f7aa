"""``project.yaml`` as the controller reads it: far enough to accept and refuse what it does (spec: rap 8)."""

import io
import re
import shlex
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

NEWEST_VERSION = 5
RUN_ALL = "run_all"
LEVELS = ("highly_sensitive", "moderately_sensitive", "minimally_sensitive")
IMAGES = {"ehrql", "stata-mp", "r", "jupyter", "python", "sqlrunner"}
_IMAGE = re.compile(r"[^\s:]+:(v[\d.]+(-pre)?|dev|latest)")
_DATABASE_COMMANDS = {
    "ehrql": {"generate-dataset", "generate-measures"},
    "cohortextractor": {"generate_cohort", "generate_codelist_report"},
    "databuilder": {"generate-dataset"},
}


class ProjectInvalid(Exception):
    """The file breaks a rule; the text is meant for the researcher."""


class Unforeseen(Exception):
    """A fault that the controller does not explain to anybody: it answers "Unknown error"."""


@dataclass(frozen=True)
class Action:
    """One action of the file."""

    name: str
    run: str
    needs: tuple[str, ...]

    @property
    def image(self) -> str:
        """The image's name, without its version."""
        return self.run.split()[0].partition(":")[0]

    @property
    def reads_database(self) -> bool:
        """Whether its first two words are a command that reads the database."""
        words = shlex.split(self.run)
        if self.image == "sqlrunner":
            return True
        return len(words) > 1 and words[1] in _DATABASE_COMMANDS.get(self.image, set())


def read(content: bytes) -> dict[str, Action]:
    """The file's actions in file order. Raises ProjectInvalid or Unforeseen for the first fault found."""
    try:
        project = YAML(typ="safe", pure=True).load(io.BytesIO(content))
    except YAMLError as fault:
        raise ProjectInvalid(f"{type(fault).__name__} {fault}") from fault
    if not isinstance(project, dict):
        raise Unforeseen
    _check_top(project)
    actions = {str(name): _action(str(name), body) for name, body in project["actions"].items()}
    _check_together(actions, project)
    return actions


def _check_top(project: dict[str, Any]) -> None:
    for key in project:
        if key not in {"version", "actions", "expectations"}:
            raise ProjectInvalid(f"Unexpected top-level entry `{key}`")
    if project.get("version") is None:
        raise ProjectInvalid("Project file must have a `version` attribute specifying which version to use")
    try:
        version = float(project["version"])
    except (TypeError, ValueError):
        raise ProjectInvalid(f"`version` must be a number between 1 and {NEWEST_VERSION}") from None
    if version > NEWEST_VERSION:
        raise Unforeseen
    if not isinstance(project.get("actions"), dict):
        raise ProjectInvalid("`actions` must be a mapping of action names to actions")
    if version >= NEWEST_VERSION and RUN_ALL in project["actions"]:
        raise ProjectInvalid(f"`{RUN_ALL}` is a reserved action name")


def _action(name: str, body: Any) -> Action:
    if not isinstance(body, dict):
        raise ProjectInvalid(f"Action `{name}` must be a mapping")
    for key in ("run", "outputs"):
        if key not in body:
            raise ProjectInvalid(f"Action `{name}` has no `{key}` entry")
    for key in body:
        if key not in {"run", "outputs", "needs", "config", "dummy_data_file"}:
            raise ProjectInvalid(f"Action `{name}` has an unexpected entry `{key}`")
    run, needs, outputs = body["run"], body.get("needs") or [], body["outputs"]
    if not isinstance(run, str) or not isinstance(needs, list) or not isinstance(outputs, dict):
        raise ProjectInvalid(f"Action `{name}` has an entry of the wrong type")
    _check_outputs(name, outputs)
    if not run.split() or not _IMAGE.fullmatch(run.split()[0]):
        raise ProjectInvalid(f"Action `{name}` must start its `run` with an image and a version")
    for need in needs:
        if " " in str(need):
            raise ProjectInvalid(f"`needs` of action `{name}` should be separated with commas: {need}")
    return Action(name, run.strip(), tuple(str(need) for need in needs))


def _check_outputs(name: str, outputs: dict[str, Any]) -> None:
    if not any(outputs.get(level) is not None for level in LEVELS):
        raise ProjectInvalid(f"Action `{name}` must give outputs of at least one of: {', '.join(LEVELS)}")
    for level in outputs:
        if level not in LEVELS:
            raise ProjectInvalid(f"Action `{name}` has an unknown privacy level `{level}`")


def _check_together(actions: dict[str, Action], project: dict[str, Any]) -> None:
    version = float(project["version"])
    commands: dict[str, str] = {}
    paths: set[str] = set()
    for action in actions.values():
        if version >= 4 and action.image.startswith("cohortextractor"):
            raise ProjectInvalid(
                f"Action `{action.name}` uses cohortextractor, which version 4 does not support"
            )
        if version >= NEWEST_VERSION and action.run.split()[0].endswith(":latest"):
            raise ProjectInvalid(f"Action `{action.name}` uses `latest`; name a version such as v2")
        if action.run in commands:
            raise ProjectInvalid(
                f"Actions `{commands[action.run]}` and `{action.name}` have the same `run` command"
            )
        commands[action.run] = action.name
        for outputs in project["actions"][action.name]["outputs"].values():
            for path in (outputs or {}).values():
                if version >= 2 and path in paths:
                    raise ProjectInvalid(f"Output path `{path}` is not unique")
                paths.add(path)
    for action in actions.values():
        for need in action.needs:
            if need not in actions:
                raise ProjectInvalid(
                    f"Action `{action.name}` references an unknown action in its `needs` list: {need}"
                )


def reusable_command(content: bytes | None) -> list[str] | None:
    """The words of the command that an ``action.yaml`` names, or None if it may not be used."""
    try:
        body = YAML(typ="safe", pure=True).load(io.BytesIO(content or b""))
    except YAMLError:
        return None
    run = body.get("run") if isinstance(body, dict) else None
    if not isinstance(run, str) or not run.split() or not _IMAGE.fullmatch(run.split()[0]):
        return None
    action = Action("", run, ())
    return shlex.split(run) if action.image in IMAGES and not action.reads_database else None
