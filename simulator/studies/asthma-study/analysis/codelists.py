from ehrql import codelist_from_csv

asthma_diagnosis = codelist_from_csv("codelists/demo-university-asthma-diagnosis.csv", column="code")
inhalers = codelist_from_csv("codelists/demo-university-asthma-inhalers.csv", column="code")
relievers = [code for code in inhalers if code == "39113611000001102"]
copd = codelist_from_csv("codelists/opensafely-copd.csv", column="code")
