# Time to the first exacerbation, stratified.

library(optparse)
library(readr)
library(survival)

options <- parse_args(OptionParser(option_list = list(make_option("--strata", default = "region"))))

dir.create("output/models", recursive = TRUE, showWarnings = FALSE)

cohort <- read_csv("output/matched.csv.gz", show_col_types = FALSE)
cohort$time <- as.numeric(cohort$first_exacerbation - as.Date("2023-04-01"))

formula <- as.formula(paste("Surv(time, event) ~ exposed + age + sex + strata(", options$strata, ")"))
model <- coxph(formula, data = cohort)

write_csv(broom::tidy(model, conf.int = TRUE), "output/models/survival_estimates.csv")
