"""A public page worth citing, and what is told to whom of decisions (spec: pages 30.12 no. 76, airlock 12.39)."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from jobserver.actions import publication
from jobserver.clients.storage import ReleaseStorage
from jobserver.models import utcnow
from tests import factories as f
from tests.web import releases as r
from tests.web.conftest import Browser
from tests.web.publishing.conftest import Here
from tests.web.test_releases_pages import words

WHY = "Two cells of table 2 are below 8."
SHA = "9f2c1ab" + "0" * 33


def run(here: Here, file: Any, days: int, **values: Any) -> Any:
    """A job request that ended so many days before the file was released."""
    release = file.release
    ended = release.created_at - timedelta(days=days)
    given = {"status": "succeeded", "jobs_succeeded": 1, "completed_at": ended, "sha": SHA, **values}
    return f.JobRequestFactory(
        **{"workspace": release.workspace, "backend": release.backend, "settled_at": ended, **given}
    )


def head(answer: Any) -> dict[str, str]:
    """What the head of the page says, by name."""
    tags = answer.html.head.find_all("meta")
    return {tag.get("property") or tag.get("name"): tag["content"] for tag in tags if tag.get("content")}


def test_a_published_page_says_what_it_is_and_how_to_cite_it(web: Browser, here: Here) -> None:
    runner = f.UserFactory(fullname="Ann Runner")
    snapshot = here.published(title="Uptake by age", summary="Of *vaccines* in\n\n# England")
    ran = run(here, here.files[0], 1, created_by=runner)
    answer = web.get(here.page(snapshot), status=200)
    shown, year = words(answer.html.main), utcnow().year
    assert answer.html.h1.get_text(" ", strip=True).endswith("Uptake by age")
    assert answer.html.main.em.string == "vaccines"
    address = f"http://localhost{here.page(snapshot)}"
    project = here.workspace.project
    citation = (
        f"{here.developer.fullname} and Ann Runner ({year}). Uptake by age. {project.org.name}, "
        f"OpenSAFELY Job server. {address}"
    )
    assert answer.html.select_one("#citation").string == citation
    assert answer.html.select_one(f'[data-copy="{citation}"]')
    for each in (
        f"Prepared by {here.developer.fullname}",
        "Published by Publisher One",
        f"Lead organisation {project.org.name}",
        "Files 2 files, 16 bytes",
        f"9f2c1ab in request {ran.id} on {here.files[0].release.backend.name} by Ann Runner",
    ):
        assert each in shown
    repo = here.workspace.repo
    assert answer.html.select_one(f'a[href$="/{repo.owner}/{repo.name}/commit/{SHA}"]')
    assert answer.html.find("a", href=here.address(ran.id))


def test_the_head_is_for_those_who_show_links(web: Browser, here: Here) -> None:
    evil = 'A </script><script>alert("1")</script> title'
    snapshot = here.published(title=evil, summary="Of *vaccines* & more. " * 30)
    answer = web.get(here.page(snapshot))
    address = f"http://localhost{here.page(snapshot)}"
    told = head(answer)
    assert answer.html.find("link", rel="canonical")["href"] == address
    assert (told["og:url"], told["og:type"], told["twitter:card"]) == (address, "article", "summary")
    assert told["og:title"] == told["citation_title"] == evil
    assert told["og:description"].startswith("Of vaccines & more. Of vaccines")
    assert len(told["og:description"]) <= 203
    assert told["citation_author"] == here.developer.fullname
    assert "robots" not in told
    script = answer.html.find("script", type="application/ld+json")
    data = json.loads(script.string)
    assert (data["@type"], data["name"], data["url"]) == ("Dataset", evil, address)
    assert data["creator"] == [{"@type": "Person", "name": here.developer.fullname}]
    assert script["nonce"] in answer.headers["Content-Security-Policy"]
    assert "alert(" not in answer.text.replace("alert(\\u0022", "").replace('alert(\\"', "").replace(
        "alert(&#34;", ""
    )


def test_the_first_figure_that_can_be_read_goes_with_links_to_the_page(
    web: Browser, here: Here, storage: ReleaseStorage
) -> None:
    release = here.files[0].release
    gone = r.redacted(release, "output/a.png", here.checker)
    late = r.waiting(release, "output/b.png")
    first, other = (
        r.file(release, name, b"x", storage=storage) for name in ("output/c.JPEG", "output/d.png")
    )
    public = r.snapshot(here, [other, first, late, gone, *here.files], published_by=here.publisher)
    picture = head(web.get(here.page(public)))["og:image"]
    assert picture == f"http://localhost{here.address('published', first.id)}"
    assert web.get(picture).content_type == "image/jpeg"
    plain = r.snapshot(here, here.files, published_by=here.publisher)
    assert "og:image" not in head(web.get(here.page(plain)))


def test_a_licence_is_named_if_there_is_one(
    web: Browser, app: Any, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = here.page(here.published())

    def told() -> tuple[str, Any]:
        answer = web.get(page)
        data = json.loads(answer.html.find("script", type="application/ld+json").string)
        return words(answer.html.select_one("#cite").find_parent("section")), data.get("license")

    shown, machines = told()
    assert "Licence" not in shown
    assert machines is None
    address = "https://creativecommons.org/licenses/by/4.0/"
    licensed = replace(app.registry["settings"], publications_licence=f"CC BY 4.0 {address}")
    monkeypatch.setitem(app.registry, "settings", licensed)
    shown, machines = told()
    assert shown.endswith("Licence: CC BY 4.0")
    assert machines == address


def test_without_words_the_page_has_a_name_and_a_description(web: Browser, here: Here) -> None:
    snapshot = here.published(title="")
    told = head(web.get(here.page(snapshot)))
    assert told["og:title"] == f"Outputs {snapshot.id} of {here.workspace.name}"
    project = here.workspace.project
    assert told["og:description"] == f"2 files of {project.name}, {project.org.name}"


def test_a_draft_is_for_no_index_and_cannot_be_cited(web: Browser, here: Here) -> None:
    snapshot = here.draft(summary="Of vaccines")
    answer = web.sign_in(here.developer).get(here.page(snapshot), status=200)
    told = head(answer)
    assert told["robots"] == "noindex"
    assert not {"og:title", "og:url", "og:description", "citation_title"} & set(told)
    assert not answer.html.find("link", rel="canonical")
    assert not answer.html.find("script", type="application/ld+json")
    assert not answer.html.select_one("#citation")
    assert "Of vaccines" in words(answer.html.main)


def test_the_public_sees_no_draft_and_nothing_of_what_was_decided_before(web: Browser, here: Here) -> None:
    snapshot = here.draft()
    web.get(here.page(snapshot), status=303)
    publication.reject(here.db, snapshot, here.other_publisher, WHY)
    here.db.commit()
    assert here.draft().id == snapshot.id
    publication.publish(here.db, snapshot, here.publisher)
    here.db.commit()
    for person in (None, here.stranger):
        if person:
            web.sign_in(person)
        answer = web.get(here.page(snapshot), status=200)
        for secret in (WHY, "Rejected", "Publisher Two", "Asked for"):
            assert secret not in answer.text
        assert not answer.html.select_one("#publication")
    for person in (here.developer, here.collaborator, here.publisher):
        panel = (
            web.sign_in(person)
            .get(here.page(snapshot))
            .html.select_one("section[aria-labelledby=publication]")
        )
        lines = [words(each) for each in panel.select("ol li")]
        assert [line.split(" just now")[0] for line in lines] == [
            "Published by Publisher One",
            f"Asked for by {here.developer.fullname}",
            "Rejected by Publisher Two",
            f"Asked for by {here.developer.fullname}",
        ]
        assert lines[2].endswith(WHY)


def acts(answer: Any) -> list[str]:
    """What the panel offers."""
    return [words(link) for link in answer.html.select("section[aria-labelledby=publication] .row a")]


def test_the_panel_offers_what_each_may_do_now(web: Browser, here: Here) -> None:
    snapshot = here.draft()

    def offers() -> dict[str, list[str]]:
        people = {
            "developer": here.developer,
            "collaborator": here.collaborator,
            "publisher": here.publisher,
        }
        found = {}
        for name, person in people.items():
            answer = web.sign_in(person).get(here.page(snapshot), status=[200, 403])
            found[name] = acts(answer) if answer.status_int == 200 else ["403"]
        return found

    assert offers() == {
        "developer": ["Withdraw request…"],
        "collaborator": [],
        "publisher": ["Approve…", "Reject…"],
    }
    publication.publish(here.db, snapshot, here.publisher)
    here.db.commit()
    assert offers() == {"developer": [], "collaborator": [], "publisher": ["Unpublish…"]}
    publication.unpublish(here.db, snapshot, here.publisher, WHY)
    here.db.commit()
    assert offers() == {"developer": ["Ask again…"], "collaborator": [], "publisher": ["403"]}
    bare = r.snapshot(here, here.files[:1])
    assert acts(web.sign_in(here.developer).get(here.page(bare))) == ["Ask for publication…"]


def test_whoever_decided_their_own_request_is_shown_to_have(web: Browser, here: Here) -> None:
    ids = [each.id for each in here.files]
    asked = publication.prepare(here.db, here.workspace, ids, here.publisher, title="Mine")
    publication.publish(here.db, asked.snapshot, here.publisher)
    here.db.commit()
    answer = web.sign_in(here.developer).get(here.page(asked.snapshot))
    assert "Published by Publisher One, who had asked for it" in words(answer.html.main)


def test_the_run_behind_is_the_newest_before_each_release_that_gave_something(
    web: Browser, here: Here, storage: ReleaseStorage
) -> None:
    old, new = here.files[0], r.file(r.release(here), "output/c.csv", storage=storage)
    run(here, old, 9)
    right = run(here, old, 3)
    run(here, old, 2, jobs_succeeded=0, jobs_failed=1, status="failed")
    run(here, old, -1)
    run(here, old, 1, workspace=f.WorkspaceFactory(project=here.workspace.project))
    run(here, old, 1, backend=f.BackendFactory())
    other = run(here, new, 4)
    snapshot = here.published(old, new)
    about = web.get(here.page(snapshot)).html.select_one("section[aria-labelledby=about]")
    found = [link["href"] for link in about.find_all("a") if "request" in words(link)]
    assert found == [here.address(other.id), here.address(right.id)]


def test_the_page_takes_the_same_statements_however_much_happened(
    web: Browser, here: Here, count_statements: Callable[[], Any]
) -> None:
    snapshot = here.published()
    web.sign_in(here.developer)
    numbers = []
    for more in (0, 8):
        for number in range(more):
            run(here, here.files[0], number + 1)
            at = utcnow() - timedelta(days=number + 1)
            f.PublishRequestFactory(
                snapshot=snapshot, decision="rejected", decision_at=at, decision_by=here.publisher
            )
        with count_statements() as statements:
            web.get(here.page(snapshot))
        numbers.append(len(statements))
    assert numbers[0] == numbers[1] <= 14
