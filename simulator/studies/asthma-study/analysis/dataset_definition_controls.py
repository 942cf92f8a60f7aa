"""Adults without asthma or COPD, to be matched with those who have asthma."""

import codelists
from ehrql import create_dataset, days
from ehrql.tables.tpp import addresses, apcs, clinical_events, patients, practice_registrations

START = "2023-04-01"
END = "2024-03-31"

dataset = create_dataset()
dataset.configure_dummy_data(population_size=8000)

registration = practice_registrations.spanning(START - days(365), START)
airways = clinical_events.where(
    clinical_events.snomedct_code.is_in(codelists.asthma_diagnosis + codelists.copd)
)

dataset.define_population(
    registration.exists_for_patient()
    & ~airways.exists_for_patient()
    & (patients.age_on(START) >= 18)
    & (patients.age_on(START) < 110)
)

dataset.age = patients.age_on(START)
dataset.sex = patients.sex
dataset.region = practice_registrations.for_patient_on(START).practice_nuts1_region_name
dataset.imd_quintile = addresses.for_patient_on(START).imd_quintile

admissions = apcs.where(apcs.admission_date.is_on_or_between(START, END))
dataset.exacerbations = admissions.where(admissions.primary_diagnosis.is_in(["J46"])).count_for_patient()
