"""Reading a study from a real (simulated) GitHub: what it gives, and each way in which it fails."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from jobserver.clients.github import GitHubClient
from jobserver.clients.opencodelists import OpenCodelistsClient
from jobserver.clients.transport import Limits
from jobserver.studies import Codelists, Place, StudyReader, StudyUnreadable, Trouble
from tests.unit.studies.world import NAME, OWNER, PLAIN, running

MAIN = Place(OWNER, NAME, "main")


@pytest.fixture(scope="module")
def world_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with running(tmp_path_factory.mktemp("studies")) as world:
        yield world


@pytest.fixture
def world(world_running: Any) -> Iterator[Any]:
    world_running.control(clear=["requests"])
    yield world_running
    world_running.control(reset=True)


def new_reader(world: Any, *, token: str | None = None, limit: float = 10) -> StudyReader:
    limits = Limits(connect=2, read=5, size=16_000_000)
    return StudyReader(
        GitHubClient(world.github_api_url, world.github_token if token is None else token, limits=limits),
        OpenCodelistsClient(world.opencodelists_url, limits=limits),
        limit=limit,
    )


@pytest.fixture
def reader(world: Any) -> StudyReader:
    return new_reader(world)


def on(branch: str, **more: Any) -> Place:
    return Place(OWNER, NAME, branch, **more)


def trouble_of(reader: StudyReader, place: Place, ref: str = "") -> StudyUnreadable:
    with pytest.raises(StudyUnreadable) as caught:
        reader.read(place, ref)
    return caught.value


def test_a_study_is_read_at_the_head_of_the_branch(reader: StudyReader) -> None:
    study = reader.read(MAIN)
    assert len(study.commit.sha) == 40
    assert study.commit.message.startswith("Study of main")
    assert study.commit.author == "Zoë Hale"
    assert study.definition == PLAIN
    assert list(study.pipeline.actions) == ["extract", "table", "free"]
    assert study.codelists is Codelists.CURRENT, "a study without codelists has none out of date"


def test_everything_is_read_at_the_commit_that_was_resolved_once(world: Any, reader: StudyReader) -> None:
    """Rap 11: project.yaml and the commit may not differ."""
    sha = reader.read(on("lists-current")).commit.sha
    asked = [request["path"] for request in world.requests("github")]
    resolved = [path for path in asked if "/commits/heads" in path]
    assert len(resolved) == 1
    reads = [request for request in world.requests("github") if "/contents/" in request["path"]]
    assert len(reads) == 3
    assert all(sha in str(request) for request in reads)


@pytest.mark.parametrize("ref", ["main", "v1"])
def test_a_ref_is_resolved_to_the_full_commit(reader: StudyReader, ref: str) -> None:
    assert reader.read(MAIN, ref).commit.sha == reader.read(MAIN).commit.sha


def test_a_ref_may_hold_slashes_and_a_short_hash_is_enough(reader: StudyReader) -> None:
    place = on("feature/with/slashes")
    sha = reader.read(place, "feature/with/slashes").commit.sha
    assert reader.read(place, sha[:9]).commit.sha == sha


@pytest.mark.parametrize(
    ("branch", "ref", "trouble"),
    [
        ("gone", "", Trouble.BRANCH_MISSING),
        ("gone", "main", Trouble.BRANCH_MISSING),
        ("main", "no-such-tag", Trouble.REF_MISSING),
        ("main", "0123456789012345678901234567890123456789", Trouble.REF_MISSING),
        ("main", "a b", Trouble.REF_MISSING),
        ("main", "nul\0", Trouble.REF_MISSING),
        ("main", "../../..", Trouble.REF_MISSING),
        ("main", "x" * 5000, Trouble.REF_MISSING),
        ("main", "feature/with/slashes", Trouble.NOT_ON_BRANCH),
        ("empty", "", Trouble.DEFINITION_MISSING),
        ("faulty", "", Trouble.DEFINITION_INVALID),
        ("not-yaml", "", Trouble.DEFINITION_INVALID),
        ("latin-1", "", Trouble.FILE_UNUSABLE),
        ("huge", "", Trouble.FILE_UNUSABLE),
        ("cohort", "", Trouble.IMAGE_REFUSED),
        ("sqlrunner", "", Trouble.IMAGE_REFUSED),
        ("lists-missing", "", Trouble.CODELISTS_MISSING),
    ],
)
def test_each_fault_of_the_study_has_its_own_name(
    reader: StudyReader, branch: str, ref: str, trouble: Trouble
) -> None:
    found = trouble_of(reader, on(branch), ref)
    assert found.trouble is trouble
    assert not found.trouble.is_ours
    assert len(str(found)) < 300
    assert str(found).isprintable()


def test_a_repository_that_our_token_cannot_see_is_told_from_a_missing_branch(world: Any) -> None:
    found = trouble_of(new_reader(world), Place(OWNER, "nowhere", "main"))
    assert found.trouble is Trouble.REPOSITORY_MISSING
    found = trouble_of(new_reader(world, token=""), MAIN)
    assert found.trouble is Trouble.REPOSITORY_MISSING, "private, and asked anonymously"


def test_all_faults_of_the_file_come_with_their_lines(reader: StudyReader) -> None:
    faults = trouble_of(reader, on("faulty")).faults
    assert [fault.line for fault in faults] == sorted(fault.line or 0 for fault in faults)
    assert {fault.action for fault in faults} >= {"table", "empty"}
    assert trouble_of(reader, on("not-yaml")).faults[0].line == 3


def test_a_project_with_leave_to_use_sqlrunner_may(reader: StudyReader) -> None:
    assert reader.read(on("sqlrunner", sqlrunner_permitted=True)).pipeline.actions["free"].uses_sqlrunner


def test_leave_to_use_sqlrunner_is_not_remembered_for_another_project(reader: StudyReader) -> None:
    sha = reader.read(on("sqlrunner", sqlrunner_permitted=True)).commit.sha
    with pytest.raises(StudyUnreadable):
        reader.lately(on("sqlrunner"), sha, seconds=60)


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        ({"kind": "status", "status": 500}, Trouble.GITHUB_DOWN),
        ({"kind": "status", "status": 502}, Trouble.GITHUB_DOWN),
        ({"kind": "refuse"}, Trouble.GITHUB_DOWN),
        ({"kind": "html"}, Trouble.GITHUB_DOWN),
        ({"kind": "truncated"}, Trouble.GITHUB_DOWN),
        ({"kind": "drop"}, Trouble.GITHUB_DOWN),
        ({"kind": "status", "status": 401}, Trouble.GITHUB_REFUSES),
        ({"kind": "status", "status": 403}, Trouble.GITHUB_REFUSES),
        ({"kind": "rate_limit"}, Trouble.GITHUB_LIMITED),
    ],
)
@pytest.mark.parametrize("place", ["", "/contents/project.yaml", "/branches", "/contents/codelists"])
def test_each_fault_of_github_has_its_own_name_wherever_it_strikes(
    world: Any, reader: StudyReader, fault: dict[str, Any], trouble: Trouble, place: str
) -> None:
    path = f"/api/github/repos/{OWNER}/{NAME}{place}"
    world.control(fault={"service": "github", "path": path, **fault})
    found = trouble_of(reader, on("lists-current"))
    assert found.trouble is trouble
    assert found.trouble.is_ours
    assert (found.until is not None) == (trouble is Trouble.GITHUB_LIMITED)


def test_a_slow_github_is_given_up_on_after_the_limit_for_the_whole(world: Any) -> None:
    world.control(fault={"service": "github", "kind": "slow", "seconds": 6})
    begun = time.monotonic()
    found = trouble_of(new_reader(world, limit=0.5), MAIN)
    assert time.monotonic() - begun < 4
    assert found.trouble is Trouble.GITHUB_SLOW


def test_what_is_read_at_a_commit_is_read_side_by_side(world: Any, reader: StudyReader) -> None:
    """The branch and three files, each a second late: one after the other they would take four seconds."""
    where = f"/api/github/repos/{OWNER}/{NAME}"
    slow = [
        {"service": "github", "kind": "slow", "seconds": 1, "path": where + p}
        for p in ("/contents", "/branches")
    ]
    world.control(faults=slow)
    begun = time.monotonic()
    reader.read(on("lists-current"))
    assert time.monotonic() - begun < 3.2


@pytest.mark.parametrize(
    ("branch", "codelists"), [("lists-stale", Codelists.STALE), ("lists-current", Codelists.CURRENT)]
)
def test_codelists_are_compared_with_opencodelists(
    reader: StudyReader, branch: str, codelists: Codelists
) -> None:
    study = reader.read(on(branch))
    assert study.codelists is codelists
    assert study.codelists_ok == (codelists is Codelists.CURRENT)


@pytest.mark.parametrize(
    "fault",
    [{"kind": "status", "status": 500}, {"kind": "refuse"}, {"kind": "html"}, {"kind": "slow", "seconds": 3}],
)
def test_without_opencodelists_the_study_is_read_and_the_codelists_are_unknown(
    world: Any, fault: dict[str, Any]
) -> None:
    world.control(fault={"service": "opencodelists", **fault})
    study = new_reader(world, limit=1.5).read(on("lists-current"))
    assert study.codelists is Codelists.UNKNOWN
    assert not study.codelists_ok


def test_only_actions_that_would_read_the_database_are_refused(reader: StudyReader) -> None:
    study = reader.read(on("lists-stale"))

    def refused(
        requested: list[str], states: dict[str, str | None] | None = None, force: bool = False
    ) -> Any:
        return study.refused(study.plan(requested, states or {}, force=force))

    assert refused(["free"]) == ()
    assert refused(["table"]) == ("extract",), "reached as a dependency"
    assert refused(["run_all"]) == ("extract",)
    assert refused(["table"], {"extract": "succeeded"}) == ()
    assert refused(["table"], {"extract": "succeeded"}, force=True) == ("extract",)
    assert refused(["extract"], {"extract": "running"}) == (), "no new job is made of it"


def test_a_plan_is_made_of_what_was_read_lately_without_asking_again(world: Any, reader: StudyReader) -> None:
    study = reader.read(on("lists-current"))
    world.control(clear=["requests"])
    assert reader.lately(on("lists-current"), study.commit.sha, seconds=60) is study
    assert world.requests("github") == []
    assert reader.lately(on("lists-current"), study.commit.sha, seconds=-1) is not study
    assert world.requests("opencodelists") != []
