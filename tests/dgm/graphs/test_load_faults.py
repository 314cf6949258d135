"""Whatever stands in graphs.toml: read, or one line with the file's own line."""

from __future__ import annotations

import os
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dgm.errors import GraphError
from dgm.graphs.load import load_graphs, main
from tests.faults import DAMAGES, cut, toml

GRAPHS: dict[str, Any] = {
    "server_room": {"nodes": ["O", "A", "T"], "edges": ["O -> T", "A -> T"], "statements": ["O ⊥ A | T"]},
    "server_room.meanings": {"O": "باز"},
    "markov": {"nodes": ["A", "B"], "edges": ["A - B"], "statements": ["A ⊥ B"], "assumed": True},
    "bayes": {"nodes": ["x1", "x2"], "edges": ["x1 -> x2"], "blanket_of": "x1", "assumed": False},
}
KEYS = [(table, key) for table, inner in GRAPHS.items() for key in inner]
VALUES = st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.lists(st.integers(), max_size=2),
                   st.lists(st.text(max_size=6), min_size=1, max_size=3),
                   st.dictionaries(st.text(max_size=3), st.integers(), max_size=2))
FEW = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(folder: Path, data: dict[str, Any]) -> Path:
    path = folder / "graphs.toml"
    text = toml(data).replace('["server_room.meanings"]', "[server_room.meanings]")
    path.write_text(text, encoding="utf-8")
    return path


def told(path: Path) -> str:
    """The error of reading it; empty where it is read."""
    try:
        load_graphs(path)
    except GraphError as error:
        said = str(error)
    else:
        said = ""
    assert len(said.splitlines()) <= 1
    return said


def test_the_graphs_are_good(tmp_path: Path) -> None:
    assert not told(written(tmp_path, GRAPHS))


def test_a_graph_is_assumed_only_where_the_file_says_so(tmp_path: Path) -> None:
    sheet = load_graphs(written(tmp_path, GRAPHS))
    assert (sheet.markov_assumed, sheet.bayes_assumed) == (True, False)
    plain = deepcopy(GRAPHS)
    del plain["markov"]["assumed"]
    assert not load_graphs(written(tmp_path, plain)).markov_assumed


@FEW
@given(at=st.sampled_from(KEYS), value=VALUES)
def test_a_wrong_value_is_one_line_at_its_own_line(tmp_path: Path, at: tuple[str, str], value: Any) -> None:
    data = deepcopy(GRAPHS)
    data[at[0]][at[1]] = value
    path = written(tmp_path, data)
    error = told(path)
    if type(value) is not type(GRAPHS[at[0]][at[1]]):
        assert error
    if error:
        assert re.match(rf"{re.escape(str(path))}:\d+: ", error), error


@pytest.mark.parametrize(("table", "key", "value", "needle"), [
    ("server_room", "edges", ["O -> T", "T -> O"], "edges"), ("server_room", "edges", ["O => T"], "O => T"),
    ("server_room", "statements", ["O ⊥ A", "O ⊥ Q"], "O ⊥ Q"), ("markov", "edges", ["A - Z"], "A - Z"),
    ("bayes", "blanket_of", "x9", "blanket_of"), ("server_room.meanings", "Q", "x", "Q"),
])
def test_the_line_is_that_of_the_fault(tmp_path: Path, table: str, key: str, value: Any, needle: str) -> None:
    data = deepcopy(GRAPHS)
    data[table][key] = value
    path = written(tmp_path, data)
    lines = path.read_text(encoding="utf-8").replace("\\u22a5", "⊥").split("\n")
    path.write_text("\n".join(lines), encoding="utf-8")
    error = told(path)
    line = int(re.findall(r":(\d+):", error)[0])
    assert needle in lines[line - 1], error


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_one_line(tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, GRAPHS)
    DAMAGES[damage](path)
    assert "graphs.toml" in told(path)
    assert main([str(path)]) == 1
    assert capsys.readouterr().err.startswith("error: ")


@FEW
@given(at=st.floats(0, 1), data=st.binary(max_size=40))
def test_a_cut_or_spoilt_file_is_read_or_refused(tmp_path: Path, at: float, data: bytes) -> None:
    path = written(tmp_path, GRAPHS)
    cut(path, at)
    path.write_bytes(path.read_bytes() + data)
    told(path)
    os.remove(path)
