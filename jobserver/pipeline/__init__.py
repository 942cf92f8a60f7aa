"""The rules of `project.yaml`, the file in which a study names its actions (spec: rap 8).

`parse` turns the text of the file into a `Pipeline`, or raises `PipelineInvalid` with every fault it found.

What the controller would run is never refused here but only warned about, with two exceptions that are a
matter of security: an output path with a `..` segment, and a dataset that is not highly_sensitive. Text that
no database or page can hold, and files made to exhaust memory, are refused for the same reason.
"""

from jobserver.pipeline.faults import Fault, PipelineInvalid
from jobserver.pipeline.model import RUN_ALL, Action, Pipeline, UnknownAction
from jobserver.pipeline.plan import Asked, Plan
from jobserver.pipeline.rules import parse

__all__ = [
    "RUN_ALL",
    "Action",
    "Asked",
    "Fault",
    "Pipeline",
    "PipelineInvalid",
    "Plan",
    "UnknownAction",
    "parse",
]
