"""The dependency graph: columns by longest path, rows ordered to lessen crossings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobserver.templating.states import State

NODE_WIDTH, NODE_HEIGHT, GAP, ROW, TOP = 190, 36, 52.5, 58, 14
WIDEST, BESIDE_NAME = 320, 45  # pixels: of a node, and of what stands beside the name in it
FULL, GLYPHS = 60, 200  # nodes up to which they carry names; up to which they are drawn one by one
GLYPH_WIDTH, GLYPH_COLUMN, GLYPH_ROW = 36, 110, 46
MONO_WIDTH = 7.85  # of one character at 13 px
_EDGE = {"running": "edge hot", "pending": "edge todo", "warning": "edge todo"}


@dataclass(frozen=True)
class Action:
    """What the graph needs to know of an action: its state, what it needs, where it links."""

    name: str
    state: State
    needs: Sequence[str] = ()
    url: str | None = None


@dataclass(frozen=True)
class Node:
    """A drawn action."""

    action: Action
    x: float
    y: float
    width: float
    label: str


@dataclass(frozen=True)
class Edge:
    """From an action to one that needs it: `todo` while the target is pending, `hot` while it runs."""

    path: str
    css: str


@dataclass(frozen=True)
class Graph:
    """A drawing in user units. Above 200 actions `nodes` is empty and `depths` counts states per depth."""

    width: float
    height: float
    nodes: Sequence[Node]
    edges: Sequence[Edge]
    depths: Sequence[Mapping[str, int]]
    size: int


# A place in a column: an action's, or (name, column) where an edge from that action passes through.
Place = str | tuple[str, int]


def graph(actions: Sequence[Action]) -> Graph:
    """Lay the actions out. What an action needs but is not among them is left out."""
    depth = _depths(actions)
    deepest = max(depth.values(), default=-1)
    if len(actions) > GLYPHS:
        depths = [_count([a for a in actions if depth[a.name] == level]) for level in range(deepest + 1)]
        return Graph(0, 0, [], [], depths, len(actions))
    full = len(actions) <= FULL
    wide = _width(actions)
    width, step, row = (wide, wide + GAP, ROW) if full else (GLYPH_WIDTH, GLYPH_COLUMN, GLYPH_ROW)
    rows = _rows(_columns(actions, depth))
    y = {place: TOP + at * row for place, at in rows.items()}
    nodes = [Node(a, depth[a.name] * step, y[a.name], width, a.name if full else "") for a in actions]
    edges = [
        Edge(_path(need, action.name, depth, y, step, width), _EDGE.get(action.state.kind, "edge"))
        for action in actions
        for need in action.needs
        if depth.get(need, deepest) < depth[action.name]
    ]
    height = TOP * 2 + NODE_HEIGHT + max(rows.values(), default=0) * row
    return Graph(max(deepest, 0) * step + width, height, nodes, edges, [], len(actions))


def _columns(actions: Sequence[Action], depth: Mapping[str, int]) -> list[dict[Place, list[Place]]]:
    """For each column its places, and for each place those of the column before that lead to it."""
    columns: list[dict[Place, list[Place]]] = [{} for _ in range(max(depth.values(), default=-1) + 1)]
    for action in actions:
        here = depth[action.name]
        before = columns[here].setdefault(action.name, [])
        for need in action.needs:
            if depth.get(need, here) >= here:
                continue
            previous: Place = need
            for column in range(depth[need] + 1, here):
                columns[column][need, column] = [previous]
                previous = (need, column)
            before.append(previous)
    return columns


def _depths(actions: Sequence[Action]) -> dict[str, int]:
    """The longest path to each action. A cycle (which no valid file has) is cut where it closes."""
    by_name = {action.name: action for action in actions}
    depth: dict[str, int] = {}

    for start in by_name:
        stack, on_path = [(start, False)], set[str]()
        while stack:
            name, needs_done = stack.pop()
            if needs_done:
                on_path.discard(name)
                known = [depth[n] for n in by_name[name].needs if n in depth and n != name]
                depth[name] = 1 + max(known, default=-1)
            elif name not in depth and name not in on_path:
                on_path.add(name)
                stack.append((name, True))
                stack.extend((n, False) for n in by_name[name].needs if n in by_name and n not in on_path)
    return depth


def _rows(columns: Sequence[Mapping[Place, Sequence[Place]]]) -> dict[Place, float]:
    """Rows from 0 down.

    Each column is ordered by the middle of what leads to its places. Then, from the last column back, each
    is moved, keeping its order, to the middle of what its places lead to.
    """
    rows: dict[Place, float] = {}
    orders: list[list[Place]] = []
    after: dict[Place, list[Place]] = {}
    for column in columns:
        wish = {
            place: _middle([rows[b] for b in before], float(at))
            for at, (place, before) in enumerate(column.items())
        }
        orders.append(sorted(column, key=lambda place: wish[place]))
        rows.update(_settle(orders[-1], wish))
        for place, before in column.items():
            for b in before:
                after.setdefault(b, []).append(place)
    for order in reversed(orders):
        wish = {place: _middle([rows[a] for a in after.get(place, [])], rows[place]) for place in order}
        rows.update(_settle(order, wish))
    top = min(rows.values(), default=0.0)
    return {place: round(row - top, 2) for place, row in rows.items()}


def _middle(rows: Sequence[float], otherwise: float) -> float:
    return sum(rows) / len(rows) if rows else otherwise


def _settle(order: Sequence[Place], wish: Mapping[Place, float]) -> dict[Place, float]:
    """As near to the wished rows as can be, in this order and at least one row apart."""
    rows: dict[Place, float] = {}
    for place in order:
        rows[place] = max([rows[p] + 1 for p in list(rows)[-1:]] + [wish[place]])
    # Pushing apart moved the column down; half of that is taken back.
    drift = sum(rows[place] - wish[place] for place in order) / len(order)
    return {place: row - drift for place, row in rows.items()}


def _path(
    source: str, target: str, depth: Mapping[str, int], y: Mapping[Place, float], step: float, width: float
) -> str:
    """A curve from column to column; straight across those it only passes through."""
    here = y[source] + NODE_HEIGHT / 2
    path = f"M{depth[source] * step + width:g} {here:g}"
    for column in range(depth[source] + 1, depth[target] + 1):
        passing = column < depth[target]
        there = y[source, column] if passing else y[target]
        there += NODE_HEIGHT / 2
        left, middle = column * step, column * step - (step - width) / 2
        path += f"C{middle:g} {here:g} {middle:g} {there:g} {left:g} {there:g}"
        path += f"H{left + width:g}" if passing else ""
        here = there
    return path


def _width(actions: Sequence[Action]) -> float:
    """Of nodes in which the longest name finds room, within limits."""
    longest = max((len(action.name) for action in actions), default=0)
    return min(max(BESIDE_NAME + math.ceil(longest * MONO_WIDTH), NODE_WIDTH), WIDEST)


def _count(column: Sequence[Action]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for action in column:
        kind = "pending" if action.state.kind == "warning" else action.state.kind
        counts[kind] = counts.get(kind, 0) + 1
    return counts
