"""The sheet's own graphs: what is read, what is answered in Persian, what is drawn, what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from dgm.errors import GraphError
from dgm.graphs import draw as drawing
from dgm.graphs import persian, tables
from dgm.graphs.dag import DAG
from dgm.graphs.draw import draw, draw_separation
from dgm.graphs.imap import immoralities, is_minimal_i_map, is_perfect_map
from dgm.graphs.load import SheetGraphs, load_graphs
from dgm.graphs.markov import MarkovGraph, markov_blanket, marriages, moral_graph
from dgm.graphs.names import latex
from dgm.graphs.panels import panels
from dgm.graphs.separation import answer, d_separation, separation
from dgm.graphs.statement import Statement
from tests.dgm.graphs.test_separation import NAMES, asked, networks

SHEET = Path(__file__).parents[3] / "report" / "graphs.toml"
TEXT = SHEET.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sheet() -> SheetGraphs:
    return load_graphs(SHEET)


def test_the_server_room_is_answered(sheet: SheetGraphs) -> None:
    assert [str(s) for s in sheet.room_statements] == ["O ⊥ A", "O ⊥ A | M", "S ⊥ M", "S ⊥ M | O"]
    found = [answer(sheet.room, s) for s in sheet.room_statements]
    assert [one.holds for one in found] == [True, False, False, True]
    assert [str(one.active) for one in found if one.active] == ["O → T ← A", "S ← O → T → M"]
    assert [tables.trial(sheet.room, s, 50, 0).refuted for s in sheet.room_statements] == [False, True, True, False]
    assert sheet.room.factorization() == r"P(O, A, T, M, S) = P(O)\, P(A)\, P(T \mid O, A)\, P(M \mid T)\, P(S \mid O)"


def test_the_assumed_markov_graph_answers_both_ways(sheet: SheetGraphs) -> None:
    answers = {answer(sheet.markov, s).holds for s in sheet.markov_statements}
    assert answers == {True, False}
    assert sheet.markov_statements[3].latex() == r"P(B \mid C, D, F) = P(B \mid C, D)"
    assert str(sheet.markov_statements[3]) == "B ⊥ F | C, D"


def test_the_assumed_network_can_teach_what_is_asked(sheet: SheetGraphs) -> None:
    blanket = markov_blanket(sheet.bayes, sheet.blanket_of)
    assert all([blanket.parents, blanket.children, blanket.coparents, blanket.outside])
    assert immoralities(sheet.bayes)


ROOM = DAG(tuple("OATMS"), (("O", "T"), ("A", "T"), ("T", "M"), ("O", "S")))


@pytest.mark.parametrize(("asks", "given_", "part"), [
    ("OA", "", "تنها مسیر میان $O$ و $A$، یعنی $O \\rightarrow T \\leftarrow A$، بسته است، زیرا $T$ برخوردکننده است "
               "و نه خودش و نه هیچ نواده‌ای از آن مشاهده شده است."),
    ("OA", "M", "فعال است، زیرا $T$ برخوردکننده است و نوادهٔ آن $M$ مشاهده شده است."),
    ("OA", "T", "$T$ برخوردکننده است و خودش مشاهده شده است."),
    ("SM", "O", "زیرا $O$ انشعاب است و مشاهده شده است."),
    ("SM", "T", "زیرا $T$ میانهٔ زنجیره است و مشاهده شده است."),
    ("OT", "", "یال $O \\rightarrow T$ این دو را بی‌واسطه به هم پیوند می‌دهد"),
])
def test_reasons_in_a_network(asks: str, given_: str, part: str) -> None:
    assert part in d_separation(ROOM, *asks, tuple(given_)).explain()


CHAIN = MarkovGraph(tuple("ABCD"), (("A", "B"), ("B", "C")))


@pytest.mark.parametrize(("asks", "given_", "part"), [
    ("AC", "B", "هر مسیر میان $A$ و $C$ از $B$ می‌گذرد، که مشاهده شده است؛ "
                "برای نمونه مسیر $A - B - C$ در $B$ بسته می‌شود."),
    ("AC", "", "هیچ گرهی مشاهده نشده است و مسیر $A - B - C$ این دو را به هم پیوند می‌دهد."),
    ("AC", "D", "مسیر $A - B - C$ باز است، زیرا از هیچ گره مشاهده‌شده‌ای ($D$) نمی‌گذرد."),
    ("AB", "C", "یال $A - B$ این دو را بی‌واسطه به هم پیوند می‌دهد."),
    ("AD", "B", "در گراف هیچ مسیری میان $A$ و $D$ نیست."),
])
def test_reasons_in_a_markov_graph(asks: str, given_: str, part: str) -> None:
    assert part in separation(CHAIN, *asks, tuple(given_)).explain()


@given(asked())
def test_every_reason_is_whole_sentences_about_its_own_nodes(case: tuple[DAG, Statement]) -> None:
    network, statement = case
    for graph in (network, MarkovGraph(network.nodes, network.edges)):
        text = answer(graph, statement).explain()
        assert text.endswith(".")
        assert text.count("$") % 2 == 0
        assert not re.search(r"[يك]|\bNone\b|[a-zA-Z]{3,}", re.sub(r"\$[^$]*\$", "", text))
        latin = set(re.findall(r"[a-z]+", re.sub(r"\\[a-z]+", "", "".join(re.findall(r"\$[^$]*\$", text)))))
        assert latin <= set(NAMES)


def test_many_trails_are_summed_up_by_where_they_are_stopped() -> None:
    middle = tuple("cdefghi")
    edges = (*(("a", m) for m in middle), *((m, "b") for m in middle[:4]), *(("b", m) for m in middle[4:]))
    text = d_separation(DAG(("a", *middle, "b"), edges), "a", "b", middle[:4]).explain()
    assert text.startswith("همهٔ مسیرهای میان $a$ و $b$ بسته‌اند: هر یک در دست‌کم یکی از گره‌های $")
    assert r"$\{c, d, e, f\}$، که مشاهده شده است" in text
    assert r"یا در دست‌کم یکی از گره‌های $\{g, h, i\}$، که روی مسیر برخوردکننده است" in text


@settings(deadline=None)
@given(networks(most=5))
def test_every_answer_about_imaps_can_be_said(network: DAG) -> None:
    moral = moral_graph(network)
    perfect = is_perfect_map(moral, network)
    if perfect.witness:
        text = perfect.witness.explain()
        assert perfect.witness.statement.latex() in text
        assert "در گراف بیزی برقرار است" in text
        assert "در گراف مارکوف برقرار نیست" in text
    for removal in is_minimal_i_map(moral, network).removals:
        assert "زیادی" not in removal.explain()
    for node in network.nodes:
        assert f"${latex(node)}$" in persian.blanket_text(markov_blanket(network, node))


def test_names_become_latex() -> None:
    assert [latex(name) for name in ("x6", "x_12", "A", "door", "a_b")] == [
        "x_{6}", "x_{12}", "A", r"\mathit{door}", r"\mathit{a\_b}"]


@pytest.mark.parametrize("text", ["O A", "O ⊥ A ⊥ B", "P(A | B) = P(C)", "P(A|B) = P(A|B)", "⊥ A", "A ⊥ A", ""])
def test_unreadable_statements_are_refused(text: str) -> None:
    with pytest.raises(GraphError):
        Statement.parse(text)


@given(asked())
def test_statements_read_back_as_written(case: tuple[DAG, Statement]) -> None:
    statement = case[1]
    assert Statement.parse(str(statement)) == statement
    assert Statement.parse(str(statement).replace("⊥", "_||_")) == statement


@pytest.mark.parametrize(("old", "new", "line"), [
    ('"O -> T"', '"O -> T', r"graphs\.toml:\d+: no valid TOML"),
    ("[markov]", "[marcov]", r"graphs\.toml:\d+: unknown key 'marcov'; nearest: markov"),
    ("blanket_of", "blanket_off", r"\[bayes\]: unknown key 'blanket_off'; nearest: blanket_of"),
    ('"A -> T"', '"AA -> T"', r"\[server_room\] node 'AA' is not in the graph; nearest: A"),
    ('"T -> M"', '"T -> O"', r"\[server_room\] a Bayesian network has no cycle, but (O -> T -> O|T -> O -> T) is one"),
    ('"A -> T"', '"A - T"', r"\[server_room\] edge 'A - T' cannot be read; valid: 'A -> B'"),
    ('"A - B"', '"A -> B"', r"\[markov\] edge 'A -> B' cannot be read; valid: 'A - B'"),
    ('"I ⊥ F"', '"I F"', r"\[markov\] cannot read 'I F'"),
    ('"S ⊥ M"', '"S ⊥ Z"', r"\[server_room\] statement 'S ⊥ Z': no node 'Z'"),
    ('= "x6"', '= "x66"', r"\[bayes\] blanket_of: no node 'x66'; nearest: x6"),
    ('= "x6"', "= 6", r"\[bayes\] blanket_of must name a node, got 6"),
    ('nodes = ["O", "A", "T", "M", "S"]', "nodes = 5", r"\[server_room\] nodes must be a list of texts, got 5"),
    ('M = "پیامی', 'N = "پیامی', r"\[server_room.meanings\] key: no node 'N'"),
])
def test_a_bad_file_gets_one_line(tmp_path: Path, old: str, new: str, line: str) -> None:
    assert old in TEXT
    bad = tmp_path / "graphs.toml"
    bad.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(GraphError, match=line) as error:
        load_graphs(bad)
    assert "\n" not in str(error.value)


def test_a_missing_table_or_file_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "graphs.toml"
    with pytest.raises(GraphError, match="cannot be read: No such file"):
        load_graphs(bad)
    bad.write_text(TEXT[: TEXT.index("[bayes]")], encoding="utf-8")
    with pytest.raises(GraphError, match=r"table \[bayes\] is missing"):
        load_graphs(bad)
    bad.write_bytes(b"\xff\xfe")
    with pytest.raises(GraphError, match="is no UTF-8 text"):
        load_graphs(bad)


def test_another_students_graph_with_arrows_of_print_is_read(tmp_path: Path) -> None:
    own = tmp_path / "graphs.toml"
    own.write_text(TEXT.replace("x1 -> x3", "x1 → x3").replace('"A - B"', '"A — B"'), encoding="utf-8")
    assert load_graphs(own) == load_graphs(SHEET)


@settings(max_examples=15)
@given(networks())
def test_a_drawing_shows_every_node_and_edge_and_is_repeatable(network: DAG) -> None:
    for graph in (network, moral_graph(network)):
        shown = draw(graph, dashed=marriages(network))
        root = ElementTree.fromstring(shown._repr_svg_())
        classes = [element.get("class") for element in root.iter("{http://www.w3.org/2000/svg}g")]
        assert classes.count("node") == len(graph.nodes)
        assert classes.count("edge") == len(graph.edges)
        assert draw(graph, dashed=marriages(network)) == shown


def test_a_drawing_marks_what_it_is_told(sheet: SheetGraphs) -> None:
    moral = moral_graph(sheet.bayes)
    svg = draw(moral, dashed=marriages(sheet.bayes), focus=["x6"], observed=["x1"], shown=["x2"]).svg
    assert svg.count("stroke-dasharray") == len(marriages(sheet.bayes))
    assert all(colour in svg for colour in (drawing.ACCENT, drawing.SHADE, drawing.PALE))
    assert f'font-family="{drawing.FONT}"' in svg
    assert "baseline-shift" not in svg
    assert "<!--" not in svg


def rims(svg: str) -> dict[str, tuple[int, int]]:
    """Of every node the number of its ellipses and of its polygons."""
    root = ElementTree.fromstring(svg)
    of = "{http://www.w3.org/2000/svg}"
    nodes = [group for group in root.iter(f"{of}g") if group.get("class") == "node"]
    return {group.findtext(f"{of}title", ""): (len(group.findall(f"{of}ellipse")), len(group.findall(f"{of}polygon")))
            for group in nodes}


def test_an_answer_is_drawn_on_the_graph() -> None:
    open_, closed = d_separation(ROOM, "O", "A", "M"), d_separation(ROOM, "O", "A")
    shown = draw_separation(open_, title="O ⊥ A | M")
    assert rims(shown.svg) == {"O": (1, 0), "A": (1, 0), "T": (2, 0), "M": (1, 0), "S": (1, 0)}     # collider: two rims
    assert shown.svg.count(f'fill="{drawing.SHADE}"') == 1              # the one observed node
    assert shown.svg.count('stroke-width="3"') == 4     # lines and heads of the two edges of the active trail
    assert "O ⊥ A | M" in shown.svg
    shown = draw_separation(closed)
    assert rims(shown.svg)["T"] == (0, 1)                                   # a stop sign
    assert shown.svg.count(f'stroke="{drawing.GREY}" stroke-dasharray') == 2
    assert drawing.ACCENT not in shown.svg


def test_a_long_trail_is_drawn_with_what_opens_it() -> None:
    dag = DAG(tuple("abcde"), (("a", "b"), ("c", "b"), ("b", "d"), ("d", "e")))
    shown = draw_separation(d_separation(dag, "a", "c", "e")).svg
    assert shown.count("stroke-dasharray") == 2     # b → d → e, dotted
    path = draw_separation(separation(CHAIN, "A", "C", "B")).svg
    assert rims(path)["B"] == (0, 1)


def test_panels_hold_every_drawing_once_and_from_the_right() -> None:
    one = draw_separation(d_separation(ROOM, "O", "A"), title="one")
    four = panels([one, draw(CHAIN), draw(ROOM), draw(CHAIN)], columns=2)
    root = ElementTree.fromstring(four._repr_svg_())
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}".replace("pt", "")
    places = [group.get("transform", "") for group in root]
    assert len(places) == 4
    shifts = [[float(part) for part in re.findall(r"[\d.]+", place)] for place in places]
    assert shifts[0][0] > shifts[1][0]
    assert shifts[0][1] == shifts[1][1] < shifts[2][1]
    names = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(names) == len(set(names))
    assert panels([one], columns=1) == panels([one], columns=1)


def test_a_machine_without_graphviz_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing.shutil, "which", lambda name: None)
    with pytest.raises(GraphError, match="neither dot nor graphviz-pure was found"):
        draw(ROOM)
