"""The pages that `make bench` measures are there, and send few statements with a small sample, too."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from jobserver.models import utcnow
from jobserver.scripts.sampling.loading import load
from jobserver.scripts.sampling.size import Size
from tests.benchmarks.pages import ANYBODY, STATEMENTS, pages
from tests.benchmarks.sights import sights
from tests.web.conftest import Browser


def test_every_page_of_the_benchmark_answers_in_few_statements(
    web: Browser, db: Session, engine: Engine, count_statements: Callable[[], Any]
) -> None:
    now = utcnow().replace(second=0, microsecond=0)
    load(db, Size(until=now, requests=300, jobs=6_000, users=60, projects=20))
    db.commit()
    seen = sights(engine)
    wrong: list[str] = []
    for page in pages(seen):
        web.reset()
        if page.who != ANYBODY:
            web.set_cookie("sessionid", seen.cookies[page.who])
        headers = {}
        if page.unchanged:
            known = web.get(page.path, headers={"HX-Request": "true"})
            headers = {"HX-Request": "true", "If-None-Match": known.headers["ETag"]}
        with count_statements() as sent:
            answer = web.get(page.path, headers=headers, status="*")
        if answer.status_int != page.expected or len(sent) > STATEMENTS:
            wrong.append(f"{page.name}: {answer.status_int}, {len(sent)} statements ({page.path})")
    assert wrong == []
