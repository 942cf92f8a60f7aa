"""The figures as a table on standard output."""

from tests.benchmarks.measuring import Measured
from tests.benchmarks.pages import GROWTH, RATIO, STATEMENTS

HEAD = f"{'page':<40} {'SQL':>4} {'ms':>8} {'limit':>6} {'ratio':>7} {'x2 data':>8}"
# Below so many milliseconds of difference, growth is noise.
_NOISE_MS = 2.0


def print_line(text: str = "") -> None:
    """One line of the report."""
    print(text, flush=True)  # noqa: T201


def row(measured: Measured) -> str:
    """One page: what is over its limit is named at the end."""
    page, whole = measured.page, measured.whole
    if not measured.answered:
        return f"{page.name:<40} answered {whole.status}: {page.path}"
    figures = (
        f"{page.name:<40} {whole.statements:>4} {whole.ms:>8.1f} {page.most_ms:>6.0f} "
        f"{measured.ratio:>7.1f} {measured.growth:>8.2f}"
    )
    faults = over(measured)
    return f"{figures}  {'OVER: ' + ', '.join(faults) if faults else 'ok'}"


def over(measured: Measured) -> list[str]:
    """Which limits the page does not keep."""
    page, whole = measured.page, measured.whole
    grown = measured.growth > GROWTH and whole.ms - measured.half.ms > _NOISE_MS
    limits = {
        "statements": whole.statements > STATEMENTS,
        "time": whole.ms > page.most_ms,
        "ratio": page.ratio_counts and measured.ratio > RATIO,
        # The largest request is no larger with half the data.
        "growth": grown,
    }
    return [name for name, broken in limits.items() if broken]


def verdict(name: str, value: float, most: float, unit: str) -> str:
    """One figure with its limit."""
    return f"{name:<40} {value:>8,.1f} {unit} (limit {most:,.0f})  {'ok' if value <= most else 'OVER'}"
