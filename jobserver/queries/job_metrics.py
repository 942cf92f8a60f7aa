"""What a job used, as the backend reported it (spec: rap 1.5)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Metrics:
    """What a job used: CPU in per cent of one core, memory in megabytes; None where nothing is known."""

    cpu_mean: float | None
    cpu_peak: float | None
    mem_mb_mean: float | None
    mem_mb_peak: float | None

    @property
    def any(self) -> bool:
        """Whether anything is known."""
        return any(value is not None for value in vars(self).values())

    @property
    def over_cores(self) -> int | None:
        """How many cores at least the peak was spread over, if more than one."""
        return math.ceil(self.cpu_peak / 100) if self.cpu_peak and self.cpu_peak > 100 else None


def metrics_of(reported: Mapping[str, Any] | None) -> Metrics:
    """The metrics as reported, whatever they are."""
    values = reported if isinstance(reported, Mapping) else {}
    return Metrics(*[amount(values.get(name)) for name in Metrics.__dataclass_fields__])


def amount(value: object) -> float | None:
    """A reported figure, if it is one that can be true."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e12 else None
