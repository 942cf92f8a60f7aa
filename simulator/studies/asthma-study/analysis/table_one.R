# Characteristics of people with asthma and of their matched controls.

library(dplyr)
library(readr)

dir.create("output/tables", recursive = TRUE, showWarnings = FALSE)

round_mid <- function(n, base = 6) ifelse(n > 7, ceiling(n / base) * base - base / 2, NA)

cohort <- read_csv("output/matched.csv.gz", show_col_types = FALSE)

table_one <- cohort |>
  mutate(age_group = cut(age, c(18, 40, 60, 80, 110), right = FALSE)) |>
  group_by(exposed, age_group, sex) |>
  summarise(people = round_mid(n()), .groups = "drop")

write_csv(table_one, "output/tables/table_one.csv")
