# Share of people within the recommended range of HbA1c, by age and sex.

library(dplyr)
library(readr)

people <- read_csv("output/dataset.csv.gz", show_col_types = FALSE)

control <- people |>
  mutate(age_group = cut(age, c(18, 40, 60, 80, 110), right = FALSE)) |>
  group_by(age_group, sex) |>
  summarise(people = ceiling(n() / 6) * 6 - 3, within = mean(hba1c <= 58, na.rm = TRUE), .groups = "drop")

write_csv(control, "output/glucose_control.csv")
