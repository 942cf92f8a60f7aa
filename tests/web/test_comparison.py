"""Two requests of a workspace side by side (spec: pages 11 and 30.6 no. 59)."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.models import JobRequest
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.running import ago, job, member, path, refresh, requested


def pair(**fields: Any) -> tuple[JobRequest, JobRequest]:
    """Two requests of one workspace on TPP."""
    first = requested(sha="a" * 40, **fields)
    second = requested(sha="b" * 40, workspace=first.workspace, backend=first.backend, created_at=ago(30))
    return first, second


def succeeded(request: JobRequest, action: str, minutes: float, memory: Any = None) -> Any:
    return job(
        request,
        "succeeded",
        "succeeded",
        action=action,
        started_at=ago(minutes + 1),
        completed_at=ago(1),
        metrics={"mem_mb_peak": memory} if memory is not None else None,
    )


def differences(page: Any) -> dict[str, str]:
    """What is said of each action, in the order of the page."""
    rows = re.findall(
        r'<th role="rowheader".*?<code>([^<]*)</code></th>(.*?)</tr>',
        page.text.split('id="actions"')[1],
        re.DOTALL,
    )
    return {
        name: " ".join(re.sub(r"<.*?>", " ", cells.rpartition("<td")[2].partition(">")[2]).split())
        for name, cells in rows
    }


def test_actions_that_differ_come_first_and_say_how(web: Browser, db: Session) -> None:
    before, after = pair()
    succeeded(before, "alike", 10)
    succeeded(after, "alike", 11)
    succeeded(before, "slower", 10)
    succeeded(after, "slower", 22)
    succeeded(before, "faster", 60)
    succeeded(after, "faster", 10)
    succeeded(before, "broke", 10)
    job(after, "failed", "nonzero_exit", action="broke", started_at=ago(11), completed_at=ago(1))
    succeeded(before, "gone", 10)
    succeeded(after, "fresh", 10)
    page = web.get(path(after, "compare") + f"?with={before.id}")
    found = differences(page)
    assert list(found)[:3] == ["broke", "fresh", "gone"]
    assert list(found)[-1] == "alike"
    assert found == {
        "broke": "≠ Different outcome",
        "fresh": f"≠ Only in {after.id}",
        "gone": f"≠ Only in {before.id}",
        "faster": "≠ 50 min shorter",
        "slower": "≠ 12 min longer",
        "alike": "",
    }
    assert "5 actions differ, shown first" in page


def test_other_words_for_a_failure_are_another_outcome(web: Browser, db: Session) -> None:
    before, after = pair()
    for request, code in ((before, "nonzero_exit"), (after, "unmatched_patterns")):
        job(request, "failed", code, action="table")
        job(request, "failed", "cancelled_by_user", action="same")
    assert differences(web.get(path(after, "compare"))) == {"table": "≠ Different outcome", "same": ""}


def test_memory_is_compared_for_those_who_may_see_it(web: Browser, db: Session) -> None:
    before, after = pair()
    succeeded(before, "table", 10, 1000)
    succeeded(after, "table", 10, 2500.4)
    succeeded(before, "odd", 10, "lots")
    succeeded(after, "odd", 10, {"a": 1})
    page = web.get(path(after, "compare"))
    assert differences(page)["table"] == ""
    assert "MB" not in page
    assert "memory" not in web.get(path(after, "compare") + f"?with={before.id}&format=csv")
    web.sign_in(member(after, "ProjectDeveloper"))
    page = web.get(path(after, "compare"))
    assert differences(page) == {"table": "≠ 1,500 MB more", "odd": ""}
    assert "2,500 MB" in page


def test_what_was_asked_for_is_compared(web: Browser, db: Session) -> None:
    before, after = pair(requested_actions=["run_all"], branch="main")
    after.requested_actions, after.branch, after.force_run_dependencies = ["b", "a"], "try<i>", True
    after.backend = f.BackendFactory(slug="emis", name="EMIS")
    db.commit()
    page = web.get(path(after, "compare") + f"?with={before.id}")
    assert f"/compare/{'a' * 40}..{'b' * 40}" in page
    rows = re.findall(r"<tr role=\"row\">(.*?)</tr>", page.text.split('id="settings"')[1], re.DOTALL)
    settings = {}
    for row in rows:
        cells = [" ".join(re.sub(r"<.*?>", " ", cell).split()) for cell in re.split(r"<t[hd]", row)[1:]]
        cells = [cell.partition("> ")[2] or cell.partition(">")[2] for cell in cells]
        settings[cells[0]] = cells[1:]
    assert settings["Backend"] == ["TPP", "EMIS", "≠ Different"]
    assert settings["Actions"] == ["run_all", "a , b", "≠ Different"]
    assert settings["Branch"] == ["main", "try&lt;i&gt;", "≠ Different"]
    assert settings["Dependencies"] == ["Run only if needed", "Run again, all of them", "≠ Different"]
    assert settings["Codelists"] == ["Up to date", "Up to date", ""]
    assert before.created_by.username in settings["Asked by"][0]


def test_the_earlier_request_is_always_on_the_left(web: Browser, db: Session) -> None:
    before, after = pair()
    for url in (path(after, "compare"), path(before, "compare") + f"?with={after.id}"):
        assert f"Compare {before.id} with {after.id} – " in web.get(url)


def test_without_a_choice_it_is_the_one_before_on_the_same_backend(web: Browser, db: Session) -> None:
    first, second = pair()
    elsewhere = requested(workspace=first.workspace, backend=f.BackendFactory())
    f.JobRequestFactory(workspace=first.workspace, backend=first.backend)
    assert f"Compare {first.id} with {second.id} – " in web.get(path(second, "compare"))
    for alone in (first, elsewhere):
        page = web.get(path(alone, "compare"))
        assert "No other request to compare with" in page
        assert 'name="with"' in page
        web.get(path(alone, "compare") + "?format=csv", status=404)


def test_the_page_of_a_request_leads_to_its_comparisons(web: Browser, db: Session) -> None:
    good, bad = pair()
    succeeded(good, "table", 10)
    refresh(db, good)
    job(bad, "failed", "nonzero_exit", action="table")
    refresh(db, bad)
    third = requested(workspace=good.workspace, backend=good.backend)
    page = web.get(path(third))
    assert f">Compare with {bad.id}</a>" in page
    assert f'href="{path(third, "compare")}?with={bad.id}"' in page
    assert f"Compare with {good.id}, the last success" in page
    assert f'href="{path(third, "compare")}?with={good.id}"' in page
    assert "Compare with" not in web.get(path(good))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Enter the number of a job request."),
        ("x", "Enter the number of a job request, such as 1038."),
        ("-1", "Enter the number of a job request, such as 1038."),
        ("0", "Enter the number of a job request, such as 1038."),
        ("99999999999999999999", "Enter the number of a job request, such as 1038."),
        ("<script>alert(1)</script>", "Enter the number of a job request, such as 1038."),
        ("2147483647", "has no request 2147483647."),
    ],
)
def test_a_wrong_number_is_an_error_of_the_form(web: Browser, db: Session, text: str, reason: str) -> None:
    _, after = pair()
    page = web.get(path(after, "compare"), {"with": text})
    assert reason in page
    assert page.text.count('role="alert"') == 1
    assert "<title>Error: " in page
    assert "<script>alert" not in page
    assert 'id="actions"' not in page
    web.get(path(after, "compare"), {"with": text, "format": "csv"}, status=404)


def test_requests_of_other_workspaces_and_the_request_itself_are_refused(web: Browser, db: Session) -> None:
    _, after = pair()
    other = f.JobRequestFactory()
    assert f"has no request {other.id}." in web.get(path(after, "compare") + f"?with={other.id}")
    assert "This is the same request." in web.get(path(after, "compare") + f"?with={after.id}")
    assert 'id="actions"' in web.get(path(after, "compare") + f"?with=+%23{after.id - 1}+")


def test_many_jobs_are_paged(web: Browser, db: Session) -> None:
    before, after = pair()
    for n in range(120):
        succeeded(before, f"a{n:03}", 10)
        succeeded(after, f"a{n:03}", 10)
    job(after, "failed", "nonzero_exit", action="z")
    for request in (before, after):
        refresh(db, request)
    url = path(after, "compare") + f"?with={before.id}"
    first = differences(web.get(url))
    assert list(first)[:2] == ["z", "a000"]
    assert len(first) == 100
    assert len(differences(web.get(url + "&page=2"))) == 21
    for wrong in ("3", "9", "0", "x"):
        web.get(url + f"&page={wrong}", status=404)


def test_the_comparison_is_there_as_a_file(web: Browser, db: Session) -> None:
    before, after = pair()
    one, two = succeeded(before, "=table", 10, 800), succeeded(after, "=table", 20, 900)
    url = path(after, "compare") + f"?with={before.id}&format=csv"
    web.sign_in(member(after, "ProjectDeveloper"))
    answer = web.get(url)
    assert answer.content_type == "text/csv"
    header, row = answer.text.splitlines()
    assert header.startswith(
        f"action,job {before.id},outcome {before.id},seconds {before.id},peak memory (MB)"
    )
    assert (
        row == f"'=table,{one.identifier},succeeded,600.0,800.0,{two.identifier},succeeded,1200.0,900.0,yes"
    )


@pytest.mark.parametrize("number", [2, 20])
def test_the_number_of_statements_does_not_depend_on_the_number_of_jobs(
    web: Browser, db: Session, count_statements: Callable[[], Any], number: int
) -> None:
    before, after = pair()
    for n in range(number):
        succeeded(before, f"a{n}", 10)
        succeeded(after, f"a{n}", 99)
    web.sign_in(member(after, "ProjectDeveloper"))
    with count_statements() as sent:
        web.get(path(after, "compare"))
    assert len(sent) == 6


def test_the_comparison_is_public_and_found_only_along_its_path(web: Browser, db: Session) -> None:
    before, after = pair()
    web.get(path(after, "compare"))
    web.sign_in(f.UserFactory()).get(path(after, "compare"))
    other = f.JobRequestFactory()
    web.get(path(other, "compare").replace(f"/{other.id}/", f"/{before.id}/"), status=404)
    web.get(path(after, "compare", "more"), status=404)


def test_nothing_that_a_study_names_is_markup(web: Browser, db: Session) -> None:
    bad = "<script>alert(1)</script>"
    before, after = pair(requested_actions=[bad], branch=bad)
    for request in (before, after):
        job(request, "failed", bad, action=bad)
    job(after, bad, bad, action="other")
    page = web.get(path(after, "compare"))
    assert "alert(1)" in page
    assert "<script>alert" not in page
