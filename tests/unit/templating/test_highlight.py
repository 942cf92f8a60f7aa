"""Scripts in a coloured `project.yaml` lead to the repository (spec: pages 11)."""

import re

import pytest

from jobserver.templating.highlight import script_path, yaml


def linked(text: str) -> list[str]:
    """The paths that are linked, in order."""
    return re.findall(r'<a href="at:(.*?)">', yaml(text, "at:{}".format))


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("analysis/a.py", "analysis/a.py"),
        ("/workspace/analysis/a.py", "analysis/a.py"),
        ("./analysis/a.R", "analysis/a.R"),
        ("/lib/b.do", "lib/b.do"),
        ('"analysis/a.py"', "analysis/a.py"),
        ("a.py", None),
        ("--config=analysis/a.json", None),
        ("output/a.csv", None),
        ("https://example.org/a", None),
        ("analysis/../secret", None),
        ("analysis/*.py", None),
        ("/", None),
    ],
)
def test_what_looks_like_a_script(word: str, path: str | None) -> None:
    assert script_path(word) == path


def test_only_run_lines_have_links() -> None:
    text = """actions:
  a:
    run: python:v2 python analysis/a.py
    needs: [b/c]
    config: {x: d/e}
  b:
    run: >
      r:v2
      ./analysis/b.R --x
    outputs:
      moderately_sensitive: {t: f/g.csv}
"""
    assert linked(text) == ["analysis/a.py", "analysis/b.R"]


def test_without_an_address_nothing_is_linked() -> None:
    assert "<a" not in yaml("run: analysis/a.py")


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_stay_the_same_lines_however_they_end(ends: str) -> None:
    assert linked(ends.join(["a: b", "", "run: analysis/a.py", "b: x/y"])) == ["analysis/a.py"]


def test_markup_in_the_file_stays_text() -> None:
    text = "run: <b>x/y</b> 'a/b.py\"><script>' analysis/a.py\n"
    shown = yaml(text, lambda path: f'"><i>{path}')
    assert re.sub(r"</?(span|a)\b[^>]*>", "", shown).count("<") == 0
    assert 'href="&quot;&gt;&lt;i&gt;analysis/a.py"' in shown
