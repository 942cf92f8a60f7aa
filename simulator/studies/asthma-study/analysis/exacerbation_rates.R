# Admissions with an exacerbation per 1000 person-years, with exact confidence intervals.

library(dplyr)
library(ggplot2)
library(readr)

dir.create("output/rates", recursive = TRUE, showWarnings = FALSE)

cohort <- read_csv("output/matched.csv.gz", show_col_types = FALSE)

rates <- cohort |>
  group_by(exposed, region) |>
  summarise(events = sum(exacerbations), years = n(), .groups = "drop") |>
  filter(events > 7) |>
  mutate(
    rate = 1000 * events / years,
    lower = 1000 * qchisq(0.025, 2 * events) / 2 / years,
    upper = 1000 * qchisq(0.975, 2 * (events + 1)) / 2 / years
  )

write_csv(rates, "output/rates/exacerbations.csv")

figure <- ggplot(rates, aes(region, rate, ymin = lower, ymax = upper, colour = factor(exposed))) +
  geom_pointrange(position = position_dodge(0.4)) +
  labs(x = NULL, y = "Admissions per 1000 person-years", colour = "Asthma")

ggsave("output/rates/exacerbations.svg", figure, width = 8, height = 5)
