"""A study as it is at one commit: what it may run, and whether its codelists are current (spec: rap 7.2).

Below the actions and above the clients: GitHub and OpenCodelists are asked, nothing is stored.
"""

from jobserver.studies.reader import StudyReader, is_full
from jobserver.studies.study import Codelists, Place, Study
from jobserver.studies.trouble import StudyUnreadable, Trouble, ref_missing

__all__ = [
    "Codelists",
    "Place",
    "Study",
    "StudyReader",
    "StudyUnreadable",
    "Trouble",
    "is_full",
    "ref_missing",
]
