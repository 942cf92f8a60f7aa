"""Counts of complications by age band, rounded."""

import matplotlib.pyplot as plt
import pandas as pd

people = pd.read_csv("output/dataset.csv.gz")
people["age_band"] = people["age"] // 10 * 10
table = people.groupby("age_band").size().rename("people")
table = (table / 6).apply("ceil") * 6 - 3
table.to_csv("output/complications.csv")
figure, axes = plt.subplots()
table.plot.bar(ax=axes)
figure.savefig("output/complications.png")
