"""Helpers that write small `project.yaml` files."""

import json
from collections.abc import Mapping

from jobserver.pipeline import PipelineInvalid, parse


def write(version: object = 5, expectations: object = None, **actions: object) -> str:
    """A file with these actions, each either the settings or a command with one output of its own."""
    lines = [f"version: {json.dumps(version)}"]
    if expectations is not None:
        lines.append(f"expectations: {json.dumps(expectations)}")
    lines.append("actions:" if actions else "actions: {}")
    for name, settings in actions.items():
        if isinstance(settings, str):
            settings = {"run": settings, "outputs": {"moderately_sensitive": {"table": f"{name}.csv"}}}
        lines.append(f"  {name}:")
        assert isinstance(settings, Mapping)
        lines.extend(f"    {key}: {json.dumps(value)}" for key, value in settings.items())
    return "\n".join(lines) + "\n"


def with_path(path: str, level: str = "highly_sensitive", version: object = 5) -> str:
    return write(version, a={"run": "python:v2 a.py", "outputs": {level: {"out": path}}})


def rules_broken(text: str) -> list[str]:
    """The rules of the faults found in a file, in order; nothing if it is valid."""
    try:
        parse(text)
    except PipelineInvalid as invalid:
        return [fault.rule for fault in invalid.faults] or ["refused without a fault"]
    return []


def rules_warned(text: str) -> list[str]:
    """The rules of the warnings for a valid file, leaving out that its version is old."""
    return [warning.rule for warning in parse(text).warnings if warning.rule != "old-version"]


STUDY = """\
version: "4.0"
actions:
  dataset:
    run: ehrql:v1 generate-dataset analysis/dataset.py --output output/dataset.csv.gz
    outputs:
      highly_sensitive:
        dataset: output/dataset.csv.gz
  measures:
    run: ehrql:v1 generate-measures analysis/measures.py --output output/measures.csv
    outputs:
      moderately_sensitive:
        measures: output/measures.csv
  clean:
    run: r:v2 analysis/clean.R
    needs: [dataset]
    outputs:
      highly_sensitive:
        clean: output/clean.rds
  model:
    run: >
      stata-mp:v16 analysis/model.do
      "two words"
    needs: [measures, clean]
    config: {threshold: 5, labels: [a, b]}
    dummy_data_file: dummy/model.csv
    outputs:
      moderately_sensitive:
        log: logs/model.log
        plots: output/plots/*.png
"""
