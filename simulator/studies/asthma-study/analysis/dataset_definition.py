"""Adults with asthma who were registered for a year before the start of the study."""

import codelists
from ehrql import create_dataset, days
from ehrql.tables.tpp import addresses, apcs, clinical_events, medications, patients, practice_registrations

START = "2023-04-01"
END = "2024-03-31"

dataset = create_dataset()
dataset.configure_dummy_data(population_size=2000)

registration = practice_registrations.spanning(START - days(365), START)
diagnoses = clinical_events.where(clinical_events.snomedct_code.is_in(codelists.asthma_diagnosis))
first_diagnosis = (
    diagnoses.where(diagnoses.date.is_on_or_before(START)).sort_by(diagnoses.date).first_for_patient()
)
has_copd = clinical_events.where(clinical_events.snomedct_code.is_in(codelists.copd)).exists_for_patient()

dataset.define_population(
    registration.exists_for_patient()
    & first_diagnosis.exists_for_patient()
    & ~has_copd
    & (patients.age_on(START) >= 18)
    & (patients.age_on(START) < 110)
)

dataset.age = patients.age_on(START)
dataset.sex = patients.sex
dataset.region = practice_registrations.for_patient_on(START).practice_nuts1_region_name
dataset.imd_quintile = addresses.for_patient_on(START).imd_quintile
dataset.diagnosed = first_diagnosis.date
dataset.date_of_death = patients.date_of_death

year = medications.where(medications.date.is_on_or_between(START, END))
dataset.reliever_count = year.where(year.dmd_code.is_in(codelists.relievers)).count_for_patient()
dataset.inhaler_count = year.where(year.dmd_code.is_in(codelists.inhalers)).count_for_patient()

admissions = apcs.where(apcs.primary_diagnosis.is_in(["J450", "J451", "J458", "J459", "J46"]))
within = admissions.where(admissions.admission_date.is_on_or_between(START, END))
dataset.exacerbations = within.count_for_patient()
dataset.first_exacerbation = within.sort_by(within.admission_date).first_for_patient().admission_date
