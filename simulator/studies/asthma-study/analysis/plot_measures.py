"""One figure for each measure: its rate by region over time."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

OUTPUT = Path("output/measures")


def main(measures: str) -> None:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    table = pd.read_csv(measures, parse_dates=["interval_start"])
    for name, rows in table.groupby("measure"):
        figure, axes = plt.subplots(figsize=(8, 5))
        for region, part in rows.groupby("region"):
            axes.plot(part["interval_start"], 1000 * part["ratio"], label=region)
        axes.set_ylabel("Per 1000 adults")
        axes.legend(fontsize="small")
        figure.savefig(OUTPUT / f"{name}.png", bbox_inches="tight")
        plt.close(figure)


if __name__ == "__main__":
    main(sys.argv[1])
