"""Monthly rates of asthma reviews and of reliever prescriptions, by region."""

import codelists
from ehrql import INTERVAL, create_measures, months
from ehrql.tables.tpp import clinical_events, medications, patients, practice_registrations

measures = create_measures()
measures.configure_dummy_data(population_size=2000)
measures.define_defaults(
    denominator=(patients.age_on(INTERVAL.start_date) >= 18)
    & practice_registrations.for_patient_on(INTERVAL.start_date).exists_for_patient(),
    group_by={
        "region": practice_registrations.for_patient_on(INTERVAL.start_date).practice_nuts1_region_name
    },
    intervals=months(24).starting_on("2022-04-01"),
)

events = clinical_events.where(clinical_events.date.is_during(INTERVAL))
issued = medications.where(medications.date.is_during(INTERVAL))

measures.define_measure(
    "asthma_review",
    numerator=events.where(events.snomedct_code == "394700004").exists_for_patient(),
)
measures.define_measure(
    "reliever",
    numerator=issued.where(issued.dmd_code.is_in(codelists.relievers)).exists_for_patient(),
)
