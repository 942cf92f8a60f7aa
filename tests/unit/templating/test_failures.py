"""What is said of a failure, by its code (spec: rap 9)."""

import pytest

from jobserver.templating.failures import explain, of_creation

CODES = {
    "nonzero_exit": ("Your code stopped with an error", "your own computer"),
    "unmatched_patterns": ("Expected outputs were not found", "the path that project.yaml names"),
    "dependency_failed": ("It never started, because something it needs failed", "Repair what failed first"),
    "internal_error": ("A fault at TPP, not in your code", "Nothing in the study has to change"),
    "job_error": ("A fault at TPP, not in your code", "Nothing in the study has to change"),
    "killed_by_admin": ("An operator stopped it", "stopped again if nothing changes"),
    "stale_codelists": ("Codelists were out of date", "codelists up to date"),
}


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_its_cause_its_fix_and_a_guide(code: str) -> None:
    found = explain(code, "what the controller said", backend="TPP")
    title, fix = CODES[code]
    assert found.title == title
    assert fix in found.fix
    assert found.guide_url.startswith("https://docs.opensafely.org/")
    assert found.guide_url.count("/") == 4, "a page at the top of the documentation"
    assert "{" not in found.title + found.text + found.fix


def test_only_faults_of_the_study_send_to_its_log() -> None:
    in_study = {code for code in CODES if explain(code, "", backend="TPP").in_study}
    assert in_study == {"nonzero_exit", "unmatched_patterns"}


@pytest.mark.parametrize("code", ["killed_by_admin", "new_code", ""])
def test_who_cannot_know_better_is_told_to_ask_first(code: str) -> None:
    assert explain(code, "", backend="TPP").ask_first


def test_how_long_it_ran_is_told_if_it_is_known() -> None:
    assert "ran on TPP for 41 min," in explain("nonzero_exit", "", backend="TPP", took="41 min").text
    assert "ran on TPP, then" in explain("nonzero_exit", "", backend="TPP").text


@pytest.mark.parametrize(
    ("code", "message", "title"),
    [
        ("new_code", "Said so", "Said so"),
        ("new_code", "", "new code"),
        ("", "", "It failed, and no reason was reported"),
    ],
)
def test_a_code_that_is_not_known_is_told_in_the_words_reported(code: str, message: str, title: str) -> None:
    assert explain(code, message, backend="TPP").title == title


def test_braces_in_a_name_are_left_alone() -> None:
    assert "{odd}" in explain("job_error", "", backend="{odd}").title


def test_jobs_that_could_not_be_made() -> None:
    assert "TPP could not turn the request into jobs" in of_creation("no project.yaml", backend="TPP").text
