"""From which kind of inhaler to which people moved after an exacerbation."""

from pathlib import Path

import pandas as pd
from disclosure import rounded

OUTPUT = Path("output/switching")


def main() -> None:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    people = pd.read_csv("output/dataset.csv.gz")
    people["before"] = people["reliever_count"].clip(upper=6)
    people["after"] = (people["inhaler_count"] - people["reliever_count"]).clip(upper=6)
    transitions = people.groupby(["before", "after"]).size().rename("people").reset_index()
    transitions["people"] = rounded(transitions["people"])
    transitions.to_csv(OUTPUT / "transitions.csv", index=False)
    for region, rows in people.groupby("region"):
        name = region.lower().replace(" ", "_")
        rounded(rows.groupby("before").size()).to_csv(OUTPUT / f"by_practice_{name}.csv")


if __name__ == "__main__":
    main()
