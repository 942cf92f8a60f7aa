# Hazard ratios of the survival model as a forest plot.

library(ggplot2)
library(readr)

estimates <- read_csv("output/models/survival_estimates.csv", show_col_types = FALSE)

figure <- ggplot(estimates, aes(exp(estimate), term, xmin = exp(conf.low), xmax = exp(conf.high))) +
  geom_pointrange() +
  geom_vline(xintercept = 1, linetype = "dashed") +
  labs(x = "Hazard ratio", y = NULL)

ggsave("output/models/survival.svg", figure, width = 7, height = 4)
