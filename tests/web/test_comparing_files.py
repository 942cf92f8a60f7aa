"""Two versions of a released file side by side."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.clients.storage import ReleaseStorage
from jobserver.models import utcnow
from tests import factories as f
from tests.web import releases as r
from tests.web.conftest import Browser


class Versions:
    """Files of one name, each in a release a day later than the one before."""

    def __init__(self, web: Browser, storage: ReleaseStorage) -> None:
        self.web, self.storage = web, storage
        self.place = r.place()
        self.backend = f.BackendFactory()
        self.days = 40
        web.sign_in(self.place.developer)

    def release(self, **values: Any) -> Any:
        """The next release."""
        self.days -= 1
        at = utcnow() - timedelta(days=self.days)
        return r.release(self.place, **{"backend": self.backend, "created_at": at, **values})

    def file(self, content: bytes, name: str = "output/a.csv", **values: Any) -> Any:
        """The next version."""
        return r.file(self.release(**values), name, content, storage=self.storage)

    def page(self, file: Any, query: str = "", status: int = 200) -> Any:
        """The comparison of this version with another."""
        address = self.place.address("releases", file.release_id, file.id, "compare")
        return self.web.get(address + query, status=status)


@pytest.fixture
def here(web: Browser, db: Session, storage: ReleaseStorage) -> Versions:
    return Versions(web, storage)


def cells(answer: Any) -> list[list[str]]:
    """What stands in the rows of the comparison."""
    return [
        [" ".join(cell.text.split()) for cell in row.select("th, td")]
        for row in answer.html.select(".compare tbody tr")
    ]


def test_cells_of_a_table_that_changed_are_marked(here: Versions) -> None:
    rows = [f"age,{n},{n * 6}" for n in range(20)]
    first = here.file("\n".join(["variable,level,n", *rows]).encode())
    changed = [*rows[:10], "age,10,66", *rows[11:15], "age,15,", *rows[17:], "sex,f,12"]
    second = here.file("\r\n".join(["variable,level,n", *changed, ""]).encode())
    answer = here.page(second)
    assert "2 of 20 rows changed, 1 was added, 1 was removed." in answer
    assert "Rows belong together if they have the same variable, level." in answer
    assert cells(answer) == [
        ["8 rows the same"],
        ["same", "9", "9", "age", "8", "48"],
        ["same", "10", "10", "age", "9", "54"],
        ["≠changed", "11", "11", "age", "10", "60 → 66"],
        ["same", "12", "12", "age", "11", "66"],
        ["same", "13", "13", "age", "12", "72"],
        ["same", "14", "14", "age", "13", "78"],
        ["same", "15", "15", "age", "14", "84"],
        ["≠changed", "16", "16", "age", "15", "90 → empty"],
        ["−removed", "17", "", "age", "16", "96"],
        ["same", "18", "17", "age", "17", "102"],
        ["same", "19", "18", "age", "18", "108"],
        ["same", "20", "19", "age", "19", "114"],
        ["+added", "", "20", "sex", "f", "12"],
    ]
    changed_cell = answer.html.select_one("td.changed")
    assert (changed_cell.select_one("del").text, changed_cell.select_one("ins").text) == ("60", "66")
    assert "Show all" in answer
    everything = here.page(second, "?all=1")
    assert len(cells(everything)) == 21
    # Whichever of the two is asked, the earlier one is first.
    assert cells(here.page(first, f"?with={second.id}")) == cells(answer)


def test_columns_that_came_and_went_are_told_apart_from_rows(here: Versions) -> None:
    here.file(b"id,old,n\na,1,2\nb,1,3\n")
    answer = here.page(here.file(b"id,n,new\na,2,x\nb,4,y\n"))
    assert "1 of 2 rows changed." in answer
    assert "New: new" in answer
    assert "Gone: old" in answer
    assert cells(answer)[-1] == ["≠changed", "2", "2", "b", "1", "3 → 4", "y"]
    same = here.page(here.file(b"id,total,new\na,2,x\nb,4,y\n"))
    assert "All rows are the same" in same
    assert "Renamed: n → total" in same
    data = here.page(here.file(b"id,total,newer\na,2,x\nb,4,y\n"), "?header=0")
    assert "1 of 3 rows changed." in data
    assert cells(data)[0] == ["≠changed", "1", "1", "id", "total", "new → newer"]
    wider = here.file(b"id,total,newer,more\na,2,x,1\nb,4,y,2\n")
    assert "In the columns that both versions have, all rows are the same." in here.page(wider)
    assert cells(here.page(wider, "?all=1"))[0] == ["same", "1", "1", "a", "2", "x", "1"]


def test_lines_of_a_text_that_changed_are_shown_with_their_numbers(here: Versions) -> None:
    lines = [f"line {n}" for n in range(30)]
    here.file("\n".join(lines).encode(), "a.log")
    changed = [*lines[:12], "line twelve", *lines[13:20], "one more <b>", *lines[20:]]
    answer = here.page(here.file("\n".join(changed).encode(), "a.log"))
    assert "1 of 30 lines changed, 1 was added." in answer
    assert cells(answer) == [
        ["10 lines the same"],
        ["11", "11", "same", "line 10"],
        ["12", "12", "same", "line 11"],
        ["13", "", "−removed", "line 12"],
        ["", "13", "+added", "line twelve"],
        ["14", "14", "same", "line 13"],
        ["15", "15", "same", "line 14"],
        ["3 lines the same"],
        ["19", "19", "same", "line 18"],
        ["20", "20", "same", "line 19"],
        ["", "21", "+added", "one more <b>"],
        ["21", "22", "same", "line 20"],
        ["22", "23", "same", "line 21"],
        ["8 lines the same"],
    ]
    assert [each.text for each in answer.html.select("td.words del b, td.words ins b")] == ["12", "twelve"]


def test_json_in_one_line_is_laid_out_first(here: Versions) -> None:
    here.file(b'{"a": [%s], "b": 1.00}' % b", ".join(b"%d" % n for n in range(300)), "a.json")
    answer = here.page(
        here.file(b'{"a": [%s], "b": 1.0}' % b", ".join(b"%d" % n for n in range(300)), "a.json")
    )
    assert "It was laid out with a value a line first" in answer
    assert "1 of 305 lines changed." in answer
    assert ["", "304", "+added", '"b": 1.0'] in cells(answer)


def test_pictures_are_side_by_side_and_other_files_are_told_by_their_sums(here: Versions) -> None:
    first, second = here.file(b"\x89PNG1", "a.png"), here.file(b"\x89PNG2", "a.png")
    sources = [each["src"] for each in here.page(second).html.select("figure img")]
    assert sources == [
        here.place.address("releases", each.release_id, each.id, "raw") for each in (first, second)
    ]
    here.file(b"1", "a.docx")
    answer = here.page(here.file(b"2", "a.docx"))
    assert "What is in files of this kind cannot be compared here." in answer
    assert len(answer.html.select(".tbl tbody tr")) == 2
    here.file(b"a\0b", "b.txt")
    assert "It is no text" in here.page(here.file(b"a\0c", "b.txt"))
    here.file(b"a,b\n", "same.csv")
    assert "the same, byte for byte" in here.page(here.file(b"a,b\n", "same.csv"))


def test_the_version_before_is_compared_unless_another_is_chosen(here: Versions, db: Session) -> None:
    versions = [here.file(b"v\n%d\n" % n) for n in range(4)]
    assert "Back to the file" not in here.page(versions[0]), "the first is compared with the next"

    def chosen(answer: Any) -> Any:
        return answer.html.select_one("select[name=with] option[selected]")["value"]

    assert chosen(here.page(versions[0])) == versions[1].id
    assert chosen(here.page(versions[3])) == versions[2].id
    assert chosen(here.page(versions[3], f"?with={versions[0].id}")) == versions[0].id
    versions[2].deleted_at, versions[2].deleted_by_id = utcnow(), here.place.checker.id
    db.commit()
    assert chosen(here.page(versions[3])) == versions[1].id, "one that can be read"
    redacted = here.page(versions[3], f"?with={versions[2].id}")
    assert "The earlier version was redacted." in redacted
    assert "(redacted)" in redacted
    waiting = r.waiting(here.release(), "output/a.csv")
    assert "The later version has not arrived." in here.page(waiting)
    here.storage.delete(versions[0].path)
    lost = here.page(versions[3], f"?with={versions[0].id}")
    assert "The earlier version should be here and is not." in lost
    assert "There is nothing to compare with" in here.page(here.file(b"", "alone.csv"))


def test_only_versions_of_the_same_file_are_compared(here: Versions) -> None:
    file = here.file(b"a\n1\n")
    here.file(b"a\n2\n")
    elsewhere = r.place()
    others = [
        r.file(r.release(elsewhere, backend=here.backend), "output/a.csv", b"secret", storage=here.storage),
        here.file(b"a\n3\n", "output/b.csv"),
        here.file(b"a\n3\n", backend=f.BackendFactory()),
        file,
    ]
    for other in others:
        here.page(file, f"?with={other.id}", status=404)
    for text in ("nonsense", "%00", "x" * 3000, "'--"):
        here.page(file, f"?with={text}", status=404)
    for number in ("0", "-1", "x", "2", "99999999999"):
        here.page(file, f"?page={number}", status=404)


def test_it_is_for_those_who_may_see_released_files(here: Versions) -> None:
    here.file(b"a\n1\n")
    file = here.file(b"a\n2\n")
    address = here.place.address("releases", file.release_id, file.id, "compare")
    r.snapshot(here.place, [file], published_by=here.place.checker)
    for person in (here.place.developer, here.place.collaborator, here.place.checker):
        here.web.sign_in(person).get(address, status=200)
    here.web.sign_in(here.place.stranger).get(address, status=403)
    here.web.reset()
    here.web.get(address, status=303)
    neighbour = f.WorkspaceFactory(project=here.place.workspace.project)
    wrong = r.address(neighbour, "releases", file.release_id, file.id, "compare")
    here.web.sign_in(here.place.developer).get(wrong, status=404)


def test_many_differences_are_paged(here: Versions) -> None:
    here.file("\n".join(f"{n} a" for n in range(1_200)).encode(), "a.txt")
    last = here.file("\n".join(f"{n} b" for n in range(1_200)).encode(), "a.txt")
    answer = here.page(last)
    assert "Page 1 of 3" in answer
    assert len(answer.html.select(".compare tbody tr")) == 1_000
    third = here.page(last, "?page=3")
    assert cells(third)[0][0] == "1,001"
    assert len(cells(third)) == 400


def test_it_takes_as_many_statements_for_many_versions_and_rows(
    here: Versions, count_statements: Callable[[], Any]
) -> None:
    numbers = []
    for size in (2, 30):
        for n in range(size):
            file = here.file(b"a,b\n" + b"".join(b"%d,%d\n" % (row, row * n) for row in range(size)))
        with count_statements() as sent:
            here.page(file)
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 12


def test_both_files_count_as_read(here: Versions, caplog: Any) -> None:
    files = [here.file(b"a\n1\n"), here.file(b"a\n2\n")]
    caplog.clear()
    here.page(files[1])
    told = [each.msg for each in caplog.records if "released_file_read" in str(each.msg)]
    assert [(each["file"], each["user"], each["way"]) for each in told] == [
        (each.id, here.place.developer.username, "compare") for each in files
    ]
