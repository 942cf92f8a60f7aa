"""Whatever the file holds, `parse` answers with a pipeline or with faults."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobserver.pipeline import Pipeline, PipelineInvalid, parse
from tests.unit.pipeline.files import STUDY

PIECES = [
    "version", "actions", "run", "outputs", "needs", "config", "run_all", "highly_sensitive", "expectations",
    "ehrql:v1 generate-dataset --output", "r:latest", "../x.csv", "*", "&a", "*a", "<<:", "!!int", "!!set", "? ",
    "\t", "\n", "\n  ", "- ", ": ", "{", "}", "[", "]", "'", '"', "|", ">", "#", "---", "...", "%YAML 1.1\n",
    ".nan", "1e999", "0x", "2024-99-99", "~", "\x00", "\x85", "\u2028", "\ud800", "\ufeff", "\\",
]  # fmt: skip
KEYS = st.sampled_from(
    [
        "version",
        "actions",
        "run",
        "outputs",
        "needs",
        "config",
        "dummy_data_file",
        "highly_sensitive",
        "a",
        "run_all",
    ]
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10), st.sampled_from(PIECES)
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=25,
)


def answer(text: str) -> Pipeline | PipelineInvalid:
    """The answer of `parse`, made use of in every way a page would."""
    refused: PipelineInvalid | None = None
    try:
        pipeline = parse(text)
    except PipelineInvalid as invalid:
        refused = invalid
    if refused:
        assert refused.faults
        for fault in refused.faults:
            assert fault.line is None or 1 <= fault.line <= len(text) + 1
            fault.message.encode()
        return refused
    names = [*pipeline.requestable(), "run_all"]
    pipeline.plan(names, {})
    pipeline.refused_images(sqlrunner_permitted=False)
    json.dumps([action.config for action in pipeline.actions.values()]).encode()
    return pipeline


@given(st.text(st.characters(codec=None, categories=None), max_size=200))
@settings(max_examples=300, deadline=None)
def test_arbitrary_text(text: str) -> None:
    answer(text)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40).map("".join))
@settings(max_examples=500, deadline=None)
def test_pieces_of_yaml(text: str) -> None:
    answer(text)


@given(TREES)
@settings(max_examples=300, deadline=None)
def test_trees_of_values(tree: object) -> None:
    answer(json.dumps(tree))


@given(TREES, KEYS, TREES)
@settings(max_examples=300, deadline=None)
def test_odd_values_inside_an_action(settings_value: object, key: str, value: object) -> None:
    action = (
        settings_value
        if isinstance(settings_value, dict)
        else {"run": "r:v2", "outputs": {"highly_sensitive": {"a": "a.csv"}}}
    )
    answer(json.dumps({"version": 5, "actions": {"a": {**action, key: value}}}))


@given(st.data())
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_valid_file_with_changes(data: st.DataObject) -> None:
    text = STUDY
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 12))
        piece = data.draw(st.sampled_from(PIECES) | st.text(max_size=3) | st.just(text[start : start + 60]))
        text = text[:start] + piece + text[end:]
    answer(text)


@given(st.sampled_from(["fault", "none"]), st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_blank_lines_and_comments_before_a_fault_move_its_line(kind: str, lines: int) -> None:
    text = "# comment\n" * lines + (
        STUDY.replace("needs: [dataset]", "needs: [nothing]") if kind == "fault" else STUDY
    )
    result = answer(text)
    if kind == "none":
        assert isinstance(result, Pipeline)
    else:
        assert isinstance(result, PipelineInvalid)
        [fault] = result.faults
        assert fault.rule == "22"
        assert fault.line == lines + 15
