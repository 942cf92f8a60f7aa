"""Who is in the cohort: counts by age band, sex and deprivation."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from disclosure import rounded

OUTPUT = Path("output/describe")
BANDS = [18, 30, 40, 50, 60, 70, 80, 110]


def main(dataset: str) -> None:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    people = pd.read_csv(dataset)
    people["age_band"] = pd.cut(people["age"], BANDS, right=False)
    table = (
        people.groupby(["age_band", "sex", "imd_quintile"], observed=True)
        .size()
        .rename("people")
        .reset_index()
    )
    table["people"] = rounded(table["people"])
    table.to_csv(OUTPUT / "population.csv", index=False)

    ages = rounded(people.groupby("age_band", observed=True).size())
    figure, axes = plt.subplots()
    ages.plot.bar(ax=axes, xlabel="Age", ylabel="People")
    figure.savefig(OUTPUT / "age_distribution.png", bbox_inches="tight")


if __name__ == "__main__":
    main(sys.argv[1])
