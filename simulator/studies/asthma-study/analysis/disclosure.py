"""Small-number suppression and rounding that every released table goes through."""

import pandas as pd


def rounded(counts: pd.Series, base: int = 6) -> pd.Series:
    """Counts to the midpoint of their band of six; small ones are left out."""
    kept = counts.where(counts > 7)
    return (kept / base).apply("ceil") * base - base // 2
