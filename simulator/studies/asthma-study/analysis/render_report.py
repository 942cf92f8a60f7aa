"""Puts the released tables and figures together in one page."""

from pathlib import Path

import pandas as pd

TABLES = {
    "Population": "output/describe/population.csv",
    "Characteristics": "output/tables/table_one.csv",
    "Exacerbation rates": "output/rates/exacerbations.csv",
    "Inhaler switching": "output/switching/transitions.csv",
}


def main() -> None:
    parts = ["<!doctype html><html lang='en'><title>Asthma in adults</title><h1>Asthma in adults</h1>"]
    for title, path in TABLES.items():
        parts.append(f"<h2>{title}</h2>{pd.read_csv(path).to_html(index=False, na_rep='[redacted]')}")
    Path("output/report.html").write_text("\n".join(parts))


if __name__ == "__main__":
    main()
