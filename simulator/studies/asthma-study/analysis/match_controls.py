"""Pairs each person with asthma with people of the same age band, sex and region."""

import argparse
from pathlib import Path

import pandas as pd
from disclosure import rounded

KEYS = ["age_band", "sex", "region"]


def read(path: str) -> pd.DataFrame:
    people = pd.read_csv(path)
    people["age_band"] = people["age"] // 5
    return people


def main(ratio: int) -> None:
    cases, pool = read("output/dataset.csv.gz"), read("output/dataset_controls.csv.gz")
    pool = pool.sample(frac=1, random_state=20240401)
    pool["turn"] = pool.groupby(KEYS).cumcount()
    cases["turn"] = cases.groupby(KEYS).cumcount()
    matched = []
    for position in range(ratio):
        wanted = cases.assign(turn=cases["turn"] * ratio + position)
        matched.append(
            pool.merge(wanted[[*KEYS, "turn", "patient_id"]], on=[*KEYS, "turn"], suffixes=("", "_case"))
        )
    controls = pd.concat(matched)
    cohort = pd.concat([cases.assign(exposed=1), controls.assign(exposed=0)])
    cohort.to_csv("output/matched.csv.gz", index=False)

    Path("output/match").mkdir(parents=True, exist_ok=True)
    summary = rounded(cohort.groupby("exposed").size()).rename("people")
    summary.to_csv("output/match/summary.csv")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--ratio", type=int, default=3)
    main(parser.parse_args().ratio)
