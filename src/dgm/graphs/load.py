"""Read the sheet's graphs from a TOML file, so that another graph needs no change of code."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Collection, Sequence
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
_LARGEST = 2**24
_KEYS = {
    "server_room": ("nodes", "edges", "statements", "meanings"),
    "markov": ("nodes", "edges", "statements", "assumed"),
    "bayes": ("nodes", "edges", "blanket_of", "assumed"),
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
    markov_assumed: bool = False                # the sheet's picture is lost, and the graph is the author's
    bayes_assumed: bool = False


def load_graphs(path: Path | str) -> SheetGraphs:
    """Read ``[server_room]``, ``[markov]`` and ``[bayes]``.

    Raises :class:`GraphError` of one line: file and line, the table, the value and the nearest valid key or node.
    """
    source = _Source(Path(path))
    document = source.document
    for key in document:
        _check_keys({key: 0}, _KEYS, source.at(key))
    tables = {name: _table(document, name, source) for name in _KEYS}
    room, markov, bayes = (_graph(source, name, tables[name]) for name in _KEYS)
    assert isinstance(room, DAG)
    assert isinstance(markov, MarkovGraph)
    assert isinstance(bayes, DAG)
    return SheetGraphs(
        room, _meanings(source, tables["server_room"], room), _statements(source, "server_room", tables, room),
        markov, _statements(source, "markov", tables, markov),
        bayes, _node(source, "bayes", tables["bayes"], bayes),
        _assumed(source, "markov", tables["markov"]), _assumed(source, "bayes", tables["bayes"]),
    )


class _Source:
    """The file: its tables, and the line on which something stands in it."""

    def __init__(self, path: Path) -> None:
        self._path, self._lines = path, _text(path).split("\n")
        try:
            self.document: _Toml = tomllib.loads("\n".join(self._lines))
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"line (\d+)", str(error))
            raise GraphError(f"{path}:{place[1] if place else len(self._lines)}: no valid TOML: {error}") from error
        except RecursionError as error:
            raise GraphError(f"{path}:1: lists or tables are nested too deeply") from error

    def at(self, table: str = "", *words: str) -> str:
        """``file:line`` of the first of the words that the table holds, of the table itself where it holds none."""
        begin = next((n for n, line in enumerate(self._lines) if table and _header(line) == table), -1)
        own = range(begin + 1, next((n for n, line in enumerate(self._lines) if n > begin and _header(line)),
                                    len(self._lines)))
        for word in filter(None, words):
            if found := [n for n in own if word in self._lines[n] and not self._lines[n].lstrip().startswith("#")]:
                return f"{self._path}:{found[0] + 1}"
        return f"{self._path}:{begin + 1}" if begin >= 0 else str(self._path)


def _header(line: str) -> str:
    found = re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line)
    return found[1].replace('"', "") if found else ""


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise GraphError(f"{path}: " + ("is no regular file" if path.exists() else "cannot be read: No such file"))
        if path.stat().st_size > _LARGEST:
            raise GraphError(f"{path}: is too large for a file of graphs")
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise GraphError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise GraphError(f"{path}: is no UTF-8 text") from error


def _check_keys(table: _Toml, valid: Collection[str], where: str) -> None:
    for key in table:
        if key not in valid:
            raise GraphError(f"{where}: unknown key {key!r}; {nearest(key, valid)}")


def _table(document: _Toml, name: str, path: _Source) -> _Toml:
    table = document.get(name)
    if not isinstance(table, dict):
        raise GraphError(f"{path.at()}: table [{name}] is missing; the file needs {', '.join(_KEYS)}")
    for key in table:
        _check_keys({key: 0}, _KEYS[name], f"{path.at(name, key)}: [{name}]")
    return table


def _strings(path: _Source, name: str, table: _Toml, key: str) -> tuple[str, ...]:
    values = table.get(key)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise GraphError(f"{path.at(name, key)}: [{name}] {key} must be a list of texts, got {values!r}")
    return tuple(values)


def _graph(path: _Source, name: str, table: _Toml) -> Graph:
    sign = "-" if name == "markov" else "->"
    kind = MarkovGraph if name == "markov" else DAG
    edges = tuple(_edge(path, name, text, sign) for text in _strings(path, name, table, "edges"))
    nodes = _strings(path, name, table, "nodes")
    return _placed(path, name, lambda: kind(nodes, edges))


def _edge(path: _Source, name: str, text: str, sign: str) -> Edge:
    arrow = {"→": "->", "—": "-", "–": "-"}
    plain = "".join(arrow.get(letter, letter) for letter in text)
    ends = [end.strip() for end in plain.split(sign)]
    if len(ends) != 2 or not all(re.fullmatch(r"\w+", end) for end in ends):
        place = path.at(name, text, "edges")
        raise GraphError(f"{place}: [{name}] edge {text!r} cannot be read; valid: 'A {sign} B'")
    return ends[0], ends[1]


def _statements(path: _Source, name: str, tables: dict[str, _Toml], graph: Graph) -> tuple[Statement, ...]:
    texts = _strings(path, name, tables[name], "statements")
    statements = _placed(path, name, lambda: tuple(Statement.parse(text) for text in texts))
    for statement in statements:
        for node in (*statement.x, *statement.y, *statement.given):
            _known(path, name, f"statement {str(statement)!r}", node, graph)
    return statements


def _meanings(path: _Source, table: _Toml, graph: Graph) -> dict[str, str]:
    meanings = table.get("meanings", {})
    if not isinstance(meanings, dict) or not all(isinstance(text, str) for text in meanings.values()):
        place = path.at("server_room.meanings")
        raise GraphError(f"{place}: [server_room.meanings] must give a text for a node, got {meanings!r}")
    for node in meanings:
        _known(path, "server_room.meanings", "key", node, graph)
    return meanings


def _node(path: _Source, name: str, table: _Toml, graph: Graph) -> str:
    node = table.get("blanket_of")
    if not isinstance(node, str):
        raise GraphError(f"{path.at(name, 'blanket_of')}: [{name}] blanket_of must name a node, got {node!r}")
    _known(path, name, "blanket_of", node, graph)
    return node


def _assumed(path: _Source, name: str, table: _Toml) -> bool:
    value = table.get("assumed", False)
    if not isinstance(value, bool):
        raise GraphError(f"{path.at(name, 'assumed')}: [{name}] assumed must be true or false, got {value!r}")
    return value


def _known(path: _Source, name: str, what: str, node: str, graph: Graph) -> None:
    if node not in graph.position:
        place = path.at(name, *_written(what), node)
        raise GraphError(f"{place}: [{name}] {what}: no node {node!r}; {nearest(node, graph.nodes)}")


def _placed(path: _Source, name: str, make: Callable[[], Some]) -> Some:
    """Run ``make``; its error gets the file and the table in front."""
    try:
        return make()
    except GraphError as error:
        named = re.findall(r"\w+", str(error))
        edges = [f'"{a} {sign} {b}"' for sign in ("->", "-", "→") for a in named for b in named if a != b]
        raise GraphError(f"{path.at(name, *edges, 'edges')}: [{name}] {error}") from error


def _written(what: str) -> list[str]:
    """The statement that a message quotes."""
    return re.findall(r"'(.+)'", what) or [what.split()[0]]


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m dgm.graphs.load FILE``: see that the graphs can be read; an error is one line."""
    for name in arguments or sys.argv[1:]:
        try:
            load_graphs(name)
        except GraphError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
