"""Reading `needs` without reading YAML: the same as the real reading, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobserver.pipeline import parse
from jobserver.pipeline.glance import needs_at_a_glance

PLAIN = """# made by a program
version: '4'

actions:

  dataset:
    run: ehrql:v1 generate-dataset analysis/dataset.py --output output/dataset.csv
    outputs:
      highly_sensitive:
        dataset: output/dataset.csv
  "table-1":   # the first
    run: >
      r:v2 analysis/table.R
      needs: [not, a, need]
    needs: [dataset]   # only this
    outputs:
      moderately_sensitive:
        needs: output/table.csv
  report.v2:
    needs:
    - "table-1"
    # and
    - dataset
    run: python:v2 python analysis/report.py
    config: {needs: [nothing]}
    outputs:
      moderately_sensitive:
        report: output/report.html
  last:
    run: python:v2 python analysis/last.py
    needs: [
      report.v2,
      'dataset',
      ]
    outputs: {moderately_sensitive: {last: output/last.html}}
"""


def as_read(text: str) -> dict[str, tuple[str, ...]]:
    """What the real reading says."""
    return {name: action.needs for name, action in parse(text).actions.items()}


def test_the_plain_form_is_understood() -> None:
    found = needs_at_a_glance(PLAIN)
    assert found == as_read(PLAIN)
    assert found["last"] == ("dataset", "report.v2")


names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)


@given(st.lists(names, min_size=1, max_size=12, unique=True), st.data())
def test_what_programs_write_is_read_as_it_is(actions: list[str], data: st.DataObject) -> None:
    lines = ["version: '4'", "actions:"]
    pad = data.draw(st.sampled_from(["  ", "   ", "    "]))
    for at, action in enumerate(actions):
        lines += [f"{pad}{action}:", f"{pad * 2}run: python:v2 python analysis/{action}.py --n {at}"]
        needs = data.draw(st.lists(st.sampled_from(actions[:at]), unique=True)) if at else []
        if needs and data.draw(st.booleans()):
            lines.append(f"{pad * 2}needs: [{', '.join(needs)}]")
        elif needs:
            dent = data.draw(st.sampled_from([pad * 2, pad * 3]))
            lines += [f"{pad * 2}needs:", *[f"{dent}- {need}" for need in needs]]
        lines += [f"{pad * 2}outputs:", f"{pad * 3}moderately_sensitive:", f"{pad * 4}t: output/{at}.csv"]
    text = "\n".join(lines)
    assert needs_at_a_glance(text) == as_read(text)


@pytest.mark.parametrize(
    "actions",
    [
        "  a: &shared\n    run: x\n  b: *shared",
        "  a:\n    <<: *shared\n    run: x",
        "  a:\n    needs: *others",
        "  a:\n    needs: [b, [c]]",
        "  a:\n    needs: b",
        "  a:\n    needs:\n      - b: c",
        "  a:\n    needs: [b]\n    needs: [c]",
        "  a: {run: x, needs: [b]}",
        "  a:\n    run: x\n  a:\n    run: y",
        "  a:\n\t  run: x",
        "  ? a\n  : run: x",
        "  a:\n    run: x\nactions:\n  b:\n    run: y",
        "  a:\n    run: x\n---\nother: 1",
        "  <script>:\n    run: x",
    ],
)
def test_of_anything_else_nothing_is_said(actions: str) -> None:
    assert needs_at_a_glance(f"version: '4'\nactions:\n{actions}\n") == {}


@pytest.mark.parametrize("text", ["", "actions:", "actions: {}", "version: 4", "\x00", "- a\n- b"])
def test_no_text_is_too_odd(text: str) -> None:
    assert needs_at_a_glance(text) == {}
