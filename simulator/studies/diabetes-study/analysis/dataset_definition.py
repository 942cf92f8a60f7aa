"""Adults with type 2 diabetes and their newest HbA1c."""

from ehrql import codelist_from_csv, create_dataset
from ehrql.tables.core import clinical_events, patients

START = "2023-01-01"
diabetes = codelist_from_csv("codelists/other-institute-diabetes-type-2.csv", column="code")

dataset = create_dataset()
events = clinical_events.where(clinical_events.date.is_on_or_before(START))
dataset.define_population(
    events.where(events.snomedct_code.is_in(diabetes)).exists_for_patient() & (patients.age_on(START) >= 18)
)
hba1c = events.where(events.snomedct_code == "999791000000106").sort_by(events.date).last_for_patient()
dataset.age = patients.age_on(START)
dataset.sex = patients.sex
dataset.hba1c = hba1c.numeric_value
