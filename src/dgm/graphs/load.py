"""Read the sheet's graphs from a TOML file, so that another graph needs no change of code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from dgm.errors import GraphError, nearest
from dgm.graphs.dag import DAG, Edge
from dgm.graphs.markov import MarkovGraph
from dgm.graphs.statement import Statement
from dgm.graphs.trail import Graph

_Toml: TypeAlias = dict[str, Any]
Some = TypeVar("Some")
_KEYS = {
    "server_room": ("nodes", "edges", "statements", "meanings"),
    "markov": ("nodes", "edges", "statements"),
    "bayes": ("nodes", "edges", "blanket_of"),
}


@dataclass(frozen=True)
class SheetGraphs:
    """The three graphs of the sheet with what is asked about each."""

    room: DAG
    meanings: dict[str, str]                    # node of the room -> what it stands for
    room_statements: tuple[Statement, ...]
    markov: MarkovGraph
    markov_statements: tuple[Statement, ...]
    bayes: DAG
    blanket_of: str


def load_graphs(path: Path | str) -> SheetGraphs:
    """Read ``[server_room]``, ``[markov]`` and ``[bayes]``.

    Raises :class:`GraphError` of one line: the file and line of broken TOML, else the file, the table,
    the value and the nearest valid key or node.
    """
    path = Path(path)
    document = _read(path)
    _check_keys(document, _KEYS, str(path))
    tables = {name: _table(document, name, path) for name in _KEYS}
    room, markov, bayes = (_graph(path, name, tables[name]) for name in _KEYS)
    assert isinstance(room, DAG)
    assert isinstance(markov, MarkovGraph)
    assert isinstance(bayes, DAG)
    return SheetGraphs(
        room, _meanings(path, tables["server_room"], room), _statements(path, "server_room", tables, room),
        markov, _statements(path, "markov", tables, markov),
        bayes, _node(path, "bayes", tables["bayes"], bayes),
    )


def _read(path: Path) -> _Toml:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GraphError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise GraphError(f"{path}: is no UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        line = place[1] if place else str(len(path.read_text(encoding="utf-8").splitlines()))
        raise GraphError(f"{path}:{line}: no valid TOML: {error}") from error


def _check_keys(table: _Toml, valid: Collection[str], where: str) -> None:
    for key in table:
        if key not in valid:
            raise GraphError(f"{where}: unknown key {key!r}; {nearest(key, valid)}")


def _table(document: _Toml, name: str, path: Path) -> _Toml:
    table = document.get(name)
    if not isinstance(table, dict):
        raise GraphError(f"{path}: table [{name}] is missing; the file needs {', '.join(_KEYS)}")
    _check_keys(table, _KEYS[name], f"{path}: [{name}]")
    return table


def _strings(path: Path, name: str, table: _Toml, key: str) -> tuple[str, ...]:
    values = table.get(key)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise GraphError(f"{path}: [{name}] {key} must be a list of texts, got {values!r}")
    return tuple(values)


def _graph(path: Path, name: str, table: _Toml) -> Graph:
    sign = "-" if name == "markov" else "->"
    kind = MarkovGraph if name == "markov" else DAG
    edges = tuple(_edge(path, name, text, sign) for text in _strings(path, name, table, "edges"))
    nodes = _strings(path, name, table, "nodes")
    return _placed(path, name, lambda: kind(nodes, edges))


def _edge(path: Path, name: str, text: str, sign: str) -> Edge:
    arrow = {"→": "->", "—": "-", "–": "-"}
    plain = "".join(arrow.get(letter, letter) for letter in text)
    ends = [end.strip() for end in plain.split(sign)]
    if len(ends) != 2 or not all(re.fullmatch(r"\w+", end) for end in ends):
        raise GraphError(f"{path}: [{name}] edge {text!r} cannot be read; valid: 'A {sign} B'")
    return ends[0], ends[1]


def _statements(path: Path, name: str, tables: dict[str, _Toml], graph: Graph) -> tuple[Statement, ...]:
    texts = _strings(path, name, tables[name], "statements")
    statements = _placed(path, name, lambda: tuple(Statement.parse(text) for text in texts))
    for statement in statements:
        for node in (*statement.x, *statement.y, *statement.given):
            _known(path, name, f"statement {str(statement)!r}", node, graph)
    return statements


def _meanings(path: Path, table: _Toml, graph: Graph) -> dict[str, str]:
    meanings = table.get("meanings", {})
    if not isinstance(meanings, dict) or not all(isinstance(text, str) for text in meanings.values()):
        raise GraphError(f"{path}: [server_room.meanings] must give a text for a node, got {meanings!r}")
    for node in meanings:
        _known(path, "server_room.meanings", "key", node, graph)
    return meanings


def _node(path: Path, name: str, table: _Toml, graph: Graph) -> str:
    node = table.get("blanket_of")
    if not isinstance(node, str):
        raise GraphError(f"{path}: [{name}] blanket_of must name a node, got {node!r}")
    _known(path, name, "blanket_of", node, graph)
    return node


def _known(path: Path, name: str, what: str, node: str, graph: Graph) -> None:
    if node not in graph.position:
        raise GraphError(f"{path}: [{name}] {what}: no node {node!r}; {nearest(node, graph.nodes)}")


def _placed(path: Path, name: str, make: Callable[[], Some]) -> Some:
    """Run ``make``; its error gets the file and the table in front."""
    try:
        return make()
    except GraphError as error:
        raise GraphError(f"{path}: [{name}] {error}") from error
