"""Words that the sample's names are made of."""


def _listed(text: str, mark: str | None = None) -> tuple[str, ...]:
    """The parts of a text on several lines; between words, unless there is another mark."""
    return tuple(" ".join(part.split()) for part in text.split(mark))


FIRST_NAMES = _listed(
    """
    Ada Adil Agnes Aisha Alan Alice Amina Anand Anna Arthur Asha Beatrix Ben Bilal Brian Carla Cecil
    Chen Chloe Clara Colin Dai Daniel Deepa Diana Edith Edward Elena Elif Ella Emil Erin Esther Fatima
    Felix Fiona Flora Frank Gareth George Grace Graham Hana Harriet Hassan Hazel Hugo Ian Imran Ines
    Irene Isaac Ivy Jack Jada James Jasmin Joan Joel Jonas Jude Julia Karim Kate Kavita Keith Kofi Laila
    Lars Laura Leo Lian Lucy Magnus Malik Maria Marta Maya Mei Milan Mohan Nadia Naomi Neil Nia Noor
    Olga Oscar Owen Paula Peter Priya Rachel Rafiq Rhys Rosa Ruth Sadia Sam Sara Sean Sofia Tariq Tess
    Tomas Uma Vera Victor Wanda Yusuf Zoe
    """
)

LAST_NAMES = _listed(
    """
    Abbott Achebe Adams Ahmed Akhtar Ali Allen Anand Archer Baker Banerjee Barlow Bell Bennett Bianchi
    Black Bose Bradley Brook Brown Burns Byrne Campbell Carter Chandra Chen Clarke Cole Cooper Costa Cox
    Davies Dean Desai Dixon Doyle Duncan Eaton Edwards Ellis Evans Farah Fernandes Fischer Fletcher
    Flynn Ford Fox Fraser Garcia Gibson Gill Gordon Graham Grant Green Griffiths Gupta Hall Hamid Hansen
    Harper Harris Hart Hassan Henderson Hill Holmes Hughes Hunt Hussain Hutton Ibrahim Iqbal Jackson
    James Jansen Jenkins Jones Joshi Kamara Kaur Kelly Khan Kim King Knight Kowalski Kumar Lamb Lane Lee
    Lewis Lim Lloyd Lopez Lowe Lynch Malik Marsh Martin Mason Mehta Miller Mitchell Moore Morgan Morris
    Murphy Murray Nair Nash Nolan Novak Okafor Oliver Osman Owen Palmer Parker Patel Perera Phillips
    Pierce Porter Powell Price Quinn Rahman Rao Reed Reid Reyes Roberts Robinson Rose Ross Rossi Ryan
    Saeed Scott Shah Sharma Shaw Silva Simpson Singh Smith Sousa Spencer Stewart Stone Sullivan Tan
    Taylor Thomas Thompson Turner Usman Varma Walker Wallace Walsh Ward Watson Webb West White Williams
    Wilson Wong Wood Wright Yang Young Zhang
    """
)

TOWNS = _listed(
    """
    Aberdeen Bangor Bath Belfast Birmingham Bradford Brighton Bristol Cambridge Canterbury Cardiff
    Chester Coventry Derby Dundee Durham Edinburgh Essex Exeter Glasgow Hull Keele Kent Lancaster Leeds
    Leicester Lincoln Liverpool London Manchester Newcastle Norwich Nottingham Oxford Plymouth Reading
    Sheffield Southampton Stirling Warwick
    """
)

CONDITIONS = _listed(
    """
    Anaemia Angina Anxiety Arthritis Bronchitis Cataract Coeliac-disease Colitis Dementia Depression
    Eczema Endometriosis Epilepsy Fibrosis Glaucoma Gout Heart-failure Hepatitis Hypertension Influenza
    Long-covid Migraine Obesity Osteoporosis Pneumonia Psoriasis Shingles Sleep-apnoea Stroke
    Thyroid-disease Tuberculosis
    """
)

QUESTIONS = _listed(
    """
    outcomes in | referrals for | prescribing in | admissions with | survival after | monitoring of |
    inequalities in | waiting times for | vaccination and | mortality with | multimorbidity and |
    primary care of
    """,
    "|",
)

PEOPLE = _listed(
    """
    adults | children | older people | pregnant women | care home residents | young adults | carers |
    veterans
    """,
    "|",
)

BRANCHES = _listed(
    """
    main main main main master develop revision sensitivity-analysis
    """
)

COMMITS = _listed(
    """
    Add the codelists | Adjust for deprivation | Fix the index date | Read the protocol again | Drop
    duplicate rows | Use the newer definition | Round all counts to five | Split by region | Add a table
    one | Correct a typing error | Tidy up the figures | Answer the reviewers | Add sensitivity analyses
    | Keep only registered patients | Update codelists | Name the outputs better | Merge pull request |
    Count deaths from both sources | First version | Make the cohort smaller for testing | Use age bands
    of ten years | Write a report | Restart after review
    """,
    "|",
)

REFUSALS = (
    "The branch could not be found in the repository.",
    "project.yaml is not valid: action “table” needs “model”, which does not exist.",
    "The commit could not be found in the repository.",
    "The repository does not belong to an organisation that is allowed here.",
)
NOTHING_TO_DO = "All requested actions have already completed successfully"
