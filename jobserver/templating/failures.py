"""Why a job failed, by its status code (spec: rap 9): the cause in plain words, the likely fix, a guide."""

from dataclasses import dataclass, replace

GUIDES = "https://docs.opensafely.org/"


@dataclass(frozen=True)
class Explanation:
    """What is said of a failure.

    ``fix_title`` and ``fix``: what to do. ``guide``: a page of the documentation, with its name.
    ``in_study``: the cause is most likely in the study, so its log and its history are worth a look.
    ``ask_first``: it is not to be run again before somebody was asked.
    """

    title: str
    text: str
    fix_title: str
    fix: str
    guide: str = ""
    guide_name: str = ""
    in_study: bool = False
    ask_first: bool = False

    @property
    def guide_url(self) -> str:
        """The address of the guide."""
        return GUIDES + self.guide


_EXPLANATIONS = {
    "nonzero_exit": Explanation(
        "Your code stopped with an error",
        "The command ran on {backend}{took}, then reported a failure. The cause is in the study’s own code, "
        "or in what that code met in the data. {backend} itself was working.",
        "Fix it and run it again",
        "Make it fail on your own computer with dummy data, mend it there, and push.",
        "actions-scripts/",
        "How scripts run as actions",
        in_study=True,
    ),
    "unmatched_patterns": Explanation(
        "Expected outputs were not found",
        "The command ended without an error, but files that project.yaml names as its outputs were not "
        "there.",
        "Fix it and run it again",
        "Let the code write each file under the path that project.yaml names, or correct the path there.",
        "actions-pipelines/",
        "How outputs are named in project.yaml",
        in_study=True,
    ),
    "dependency_failed": Explanation(
        "It never started, because something it needs failed",
        "No code of this action ran, so there is nothing to repair in it.",
        "Then run it again",
        "Repair what failed first; this action runs once that has succeeded.",
        "actions-pipelines/",
        "How actions need each other",
    ),
    "internal_error": Explanation(
        "A fault at {backend}, not in your code",
        "The platform failed while this job was being looked after. Your code may be right as it is.",
        "Run it again",
        "Nothing in the study has to change for that.",
        "jobs-site/",
        "How jobs are run",
    ),
    "killed_by_admin": Explanation(
        "An operator stopped it",
        "Somebody who looks after {backend} stopped this job by hand, most often because it used so much "
        "memory, disk or time that others had to wait.",
        "Ask before running it again",
        "It would be stopped again if nothing changes.",
        "jobs-site/",
        "How jobs are run",
        ask_first=True,
    ),
    "stale_codelists": Explanation(
        "Codelists were out of date",
        "An action that reads the database is not run with codelists that have changed on OpenCodelists "
        "since.",
        "Run it again",
        "With the codelists up to date, nothing else has to change.",
        "codelist-updating/",
        "How codelists are kept up to date",
    ),
}
_EXPLANATIONS["job_error"] = _EXPLANATIONS["internal_error"]


def explain(code: str, message: str, *, backend: str, took: str = "") -> Explanation:
    """What to say of a failed job; the controller's own words if the code is not known.

    ``took``: how long it ran, in words.
    """
    known = _EXPLANATIONS.get(code)
    if known is None:
        plain = code.replace("_", " ") if code else "It failed, and no reason was reported"
        return Explanation(
            message or plain,
            f"{backend} gave no cause that is known here.",
            "Ask before running it again",
            "Nobody can tell from here what has to change.",
            "jobs-site/",
            "How jobs are run",
            ask_first=True,
        )
    for_time = f" for {took}" if took else ""
    title, text = known.title.format(backend=backend), known.text.format(backend=backend, took=for_time)
    return replace(known, title=title, text=text)


def of_creation(message: str, *, backend: str) -> Explanation:
    """What to say of the jobs of a request that could not be made (spec: rap 7.5)."""
    return Explanation(
        "The jobs of this request could not be made",
        f"{backend} could not turn the request into jobs.",
        "Fix it and run it again",
        f"Mend what {backend} names, and push." if message else "Ask for the jobs again.",
        "actions-pipelines/",
        "How project.yaml is written",
    )
