"""What the run form shows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session
from webtest import TestResponse

from jobserver.models import (
    utcnow,
)
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.run_jobs.asking import Asking, ticked


def test_the_actions_are_offered_in_file_order_and_then_run_all(world_web: Browser, asking: Asking) -> None:
    page = world_web.get(asking.url)
    names = [box["value"] for box in page.html.select("input[name=requested_actions]")]
    assert names[:3] == ["generate_dataset", "generate_dataset_controls", "generate_measures"]
    assert names[-1] == "run_all"
    assert len(names) == 13
    assert ticked(page) == []
    assert "Match controls, model exacerbations, write the report" in page
    assert "Rosalind Hale" in page


def test_backends_are_offered_by_name_with_their_state(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    """Pages 30.2, 32."""
    now = utcnow()
    asking.tpp.last_seen_at = now - timedelta(hours=2)
    asking.emis.last_seen_at = now
    asking.emis.is_in_maintenance_mode = True
    db.commit()
    f.JobFactory(job_request=f.JobRequestFactory(backend=asking.emis), status="running")
    page = world_web.get(asking.url)
    assert [each["value"] for each in page.html.select("input[name=backend]")] == ["emis", "tpp"]
    assert not page.html.select("input[name=backend][checked]"), "nobody is sent somewhere unasked"
    emis, tpp = (label.get_text(" ") for label in page.html.select("#backend label"))
    assert "Maintenance" in emis
    assert "Database actions wait. 1 running, 0 pending." in emis
    assert "No contact" in tpp
    assert "Last heard from 2 hours ago; requests wait. 0 running, 0 pending." in tpp
    asking.emis.is_paused = True
    db.commit()
    assert "Paused" in world_web.get(asking.url)


def test_states_are_those_of_the_chosen_backend(world_web: Browser, asking: Asking) -> None:
    on_tpp = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
    on_emis = f.JobRequestFactory(workspace=asking.workspace, backend=asking.emis)
    f.JobFactory(job_request=on_tpp, action="table_one", status="failed", status_code="nonzero_exit")
    f.JobFactory(job_request=on_emis, action="table_one", status="succeeded")

    def state(page: TestResponse) -> str:
        return str(page.html.select_one("tr:has(#a-table_one)").get_text(" "))

    assert "Failed" in state(world_web.get(asking.url + "?backend=tpp"))
    assert "Succeeded" in state(world_web.get(asking.url + "?backend=emis"))
    assert "Succeeded" in state(world_web.get(asking.url)), "the one used last is chosen at first"
    assert "Failed" not in state(world_web.get(asking.url + "?backend=unknown"))


def test_the_last_success_says_how_long_an_action_takes(world_web: Browser, asking: Asking) -> None:
    now = utcnow()
    request = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
    f.JobFactory(
        job_request=request,
        action="table_one",
        status="succeeded",
        created_at=now - timedelta(hours=3),
        started_at=now - timedelta(hours=3),
        completed_at=now - timedelta(hours=2, minutes=19),
    )
    f.JobFactory(job_request=request, action="table_one", status="running", started_at=now)
    row = world_web.get(asking.url + "?backend=tpp").html.select_one("tr:has(#a-table_one)").get_text(" ")
    assert "41 min" in row
    assert "Running" in row


def test_the_plan_says_what_runs_what_waits_and_what_is_reused(world_web: Browser, asking: Asking) -> None:
    request = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
    for action, status in [("generate_dataset", "succeeded"), ("generate_dataset_controls", "running")]:
        f.JobFactory(job_request=request, action=action, status=status)
    page = world_web.get(asking.url + "?backend=tpp&requested_actions=table_one")
    plan = " ".join(page.html.select_one("#plan").get_text(" ").split())
    assert "2 actions run on TPP" in plan
    assert "table_one after match_controls" in plan
    assert f"1 action is under way already Under way generate_dataset_controls {request.id}" in plan
    assert f"1 result is used as it is Succeeded generate_dataset {request.id}" in plan
    forced = world_web.get(asking.url + "?backend=tpp&requested_actions=table_one&force_run_dependencies=on")
    assert "3 actions run" in " ".join(forced.html.select_one("#plan").get_text(" ").split())


def test_a_request_sent_a_moment_ago_counts_though_its_jobs_are_not_known(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    """Rap 1.3 step 5: the controller will have made its jobs by then."""
    just_sent = f.JobRequestFactory(
        workspace=asking.workspace, backend=asking.tpp, requested_actions=["match_controls", "gone"]
    )
    f.JobRequestFactory(workspace=asking.workspace, backend=asking.emis, requested_actions=["run_all"])
    f.JobRequestFactory(backend=asking.tpp, requested_actions=["run_all"])
    page = world_web.get(asking.url + "?backend=tpp&requested_actions=table_one")
    plan = " ".join(page.html.select_one("#plan").get_text(" ").split())
    assert "1 action runs on TPP table_one after match_controls" in plan
    assert f"1 action is under way already Under way match_controls {just_sent.id}" in plan
    row = page.html.select_one("tr:has(#a-match_controls)").get_text(" ")
    assert "Pending" in row
    for status in ("failed", "nothing_to_do"):
        just_sent.status = status
        db.commit()
        page = world_web.get(asking.url + "?backend=tpp&requested_actions=table_one")
        assert "under way already" not in page.html.select_one("#plan").get_text()


def test_a_request_whose_jobs_are_known_counts_by_them(world_web: Browser, asking: Asking) -> None:
    request = f.JobRequestFactory(
        workspace=asking.workspace, backend=asking.tpp, requested_actions=["match_controls"], status="running"
    )
    f.JobFactory(job_request=request, action="generate_dataset", status="running")
    page = world_web.get(asking.url + "?backend=tpp&requested_actions=match_controls")
    plan = " ".join(page.html.select_one("#plan").get_text(" ").split())
    assert f"1 action is under way already Under way generate_dataset {request.id}" in plan
    assert "2 actions run" in plan


def test_the_plan_says_how_long_it_took_last_along_the_longest_chain(odd: Callable[..., Any]) -> None:
    browser, asking = odd("main")
    now = utcnow()
    request = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
    for action, minutes in [("extract", 30), ("table", 11), ("free", 35)]:
        f.JobFactory(
            job_request=request,
            action=action,
            status="succeeded",
            started_at=now - timedelta(minutes=minutes),
            completed_at=now,
        )
    page = browser.get(asking.url + "?backend=tpp&preset=all")
    assert "About 41 min" in page.html.select_one("#plan").get_text()
    f.JobFactory(job_request=request, action="free", status="failed", status_code="job_error")
    page = browser.get(asking.url + "?backend=tpp&requested_actions=free")
    assert "About 35 min" in page.html.select_one("#plan").get_text(), "by the last success"


def test_a_cancelled_job_is_shown_but_does_not_count(world_web: Browser, asking: Asking) -> None:
    """Rap 1.3 step 5."""
    request = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
    f.JobFactory(job_request=request, action="generate_dataset", status="succeeded")
    f.JobFactory(
        job_request=request, action="generate_dataset", status="failed", status_code="cancelled_by_user"
    )
    page = world_web.get(asking.url + "?backend=tpp&requested_actions=describe_population")
    assert "Cancelled" in page.html.select_one("tr:has(#a-generate_dataset)").get_text()
    assert "1 result is used as it is" in page.html.select_one("#plan").get_text()


def test_presets_tick_groups_of_actions(world_web: Browser, asking: Asking) -> None:
    request = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
    f.JobFactory(job_request=request, action="survival_model", status="failed", status_code="nonzero_exit")
    f.JobFactory(
        job_request=request, action="survival_plot", status="failed", status_code="dependency_failed"
    )
    page = world_web.get(asking.url + "?backend=tpp&force_run_dependencies=on&will_notify=True")
    link = page.html.find("a", string=lambda text: text and text.strip().startswith("Failed and blocked"))
    page = world_web.get(link["href"])
    assert ticked(page) == ["survival_model", "survival_plot"]
    assert page.html.select("#force_run_dependencies[checked]"), "other choices are kept"
    assert page.html.select("input[name=will_notify][value=True][checked]")
    assert len(ticked(world_web.get(asking.url + "?preset=all"))) == 12
    assert ticked(world_web.get(asking.url + "?preset=none&requested_actions=table_one")) == []
    assert ticked(world_web.get(asking.url + "?preset=rubbish&requested_actions=table_one")) == ["table_one"]


@pytest.mark.parametrize("should_notify", [True, False])
def test_mail_is_preset_from_the_workspace(
    world_web: Browser, asking: Asking, db: Session, should_notify: bool
) -> None:
    asking.workspace.should_notify = should_notify
    db.commit()
    page = world_web.get(asking.url)
    assert page.html.select_one("input[name=will_notify][checked]")["value"] == str(should_notify)


def test_a_commit_that_ran_last_is_pointed_out(world_web: Browser, asking: Asking) -> None:
    page = world_web.get(asking.url + "?backend=tpp")
    assert "has run on TPP before" not in page
    sha = page.html.select_one("input[name=commit]")["value"]
    f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp, sha=sha)
    assert "has run on TPP before" in world_web.get(asking.url + "?backend=tpp")
    assert "has run on EMIS before" not in world_web.get(asking.url + "?backend=emis")


def test_another_commit_can_be_asked_for_in_both_ways(odd: Callable[..., Any]) -> None:
    browser, asking = odd("feature/with/slashes")
    by_path = browser.get(asking.url + "feature/with/slashes/")
    by_query = browser.get(asking.url + "?ref=feature/with/slashes")
    commit = by_path.html.select_one("input[name=commit]")["value"]
    assert commit == by_query.html.select_one("input[name=commit]")["value"]
    assert "ref=feature" in by_path.html.select_one("form[method=post].cols")["action"]
    assert "Study of feature/with/slashes &lt;b&gt;" in by_path


def test_the_plan_alone_is_sent_when_the_form_changes(world: Any, world_web: Browser, asking: Asking) -> None:
    commit = world_web.get(asking.url).html.select_one("input[name=commit]")["value"]
    world.control(clear=["requests"])
    query = f"?commit={commit}&backend=tpp&requested_actions=generate_dataset"
    answer = world_web.get(asking.plan_url + query)
    assert answer.html.select_one("#plan")
    assert "1 action runs" in answer.html.get_text()
    assert answer.html.select_one("#requested_actions"), "the states are those of another backend now"
    answer = world_web.get(asking.plan_url + query + "&shown=tpp")
    assert not answer.html.select_one("#requested_actions")
    assert world.requests("github") == [], "the study was read a moment ago"


def test_the_plan_says_when_it_cannot_be_made(world: Any, world_web: Browser, asking: Asking) -> None:
    world.control(fault={"service": "github", "kind": "status", "status": 500})
    answer = world_web.get(asking.plan_url + "?backend=tpp")
    assert "The plan could not be made" in answer
    assert "There is no" not in answer
    assert "could not be made" in world_web.get(asking.plan_url + "?commit=rubbish%00")
