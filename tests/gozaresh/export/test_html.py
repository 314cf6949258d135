"""HTML by its structure: no tag is left, no word is lost, what is open is closed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gozaresh.export.reading import read_parts

TAGS = ["b", "i", "u", "s", "sub", "sup", "span", "font", "center", "p", "div", "h2", "ul", "li", "ol", "blockquote",
        "table", "tr", "td", "th", "details", "summary", "a", "code", "pre"]
PIECES = [f"<{tag}>" for tag in TAGS] + [f"</{tag}>" for tag in TAGS] + ["\n\n", "<br>", " ", "\n", "<hr>", "- ", "## "]


def kinds(node: Any) -> list[str]:
    if isinstance(node, list):
        return [kind for one in node for kind in kinds(one)]
    if isinstance(node, dict):
        return [node["t"], *kinds(node.get("c", []))] if "t" in node else kinds(list(node.values()))
    return []


def text(node: Any) -> str:
    return json.dumps(node, ensure_ascii=False)


@given(st.lists(st.sampled_from(PIECES), max_size=14))
@settings(max_examples=60, deadline=None)
def test_no_tag_is_left_and_no_word_lost(pieces: list[str]) -> None:
    source = "".join(f"{piece}واژه{number}" for number, piece in enumerate(pieces)) or "متن"
    blocks = read_parts([source])[0][0]
    assert not {"RawBlock", "RawInline"} & set(kinds(blocks))
    told = text(blocks)
    for number in range(len(pieces)):
        assert re.search(rf"واژه{number}(?![0-9])", told), (source, told)


@pytest.mark.parametrize(("source", "wanted"), [
    ("<h2>نام</h2>", "Header"), ("<ul><li>یک", "BulletList"), ("<ol><li>یک", "OrderedList"),
    ("a<sup>2</sup>", "Superscript"),
    ("<table><tr><td>یک", "Table"), ('<img src="a.png">', "Image"), ('<a href="b">پ</a>', "Link"),
    ("<pre>x\ny</pre>", "CodeBlock"),
    ("<p>$x^2$</p>", "Math"), ("<blockquote>ن", "BlockQuote"), ("متن<br>متن", "LineBreak"), ("<hr>", "HorizontalRule"),
    ("<b>متن\n\nمتن", "Strong"), ("<div>\n\n- یک\n\n</div>", "BulletList"), ("<dl><dt>a<dd>b</dl>", "DefinitionList")])
def test_structure_is_kept(source: str, wanted: str) -> None:
    assert wanted in kinds(read_parts([source])[0][0])


@pytest.mark.parametrize("source", ["<style>p {color: red}</style>", "<script>let x = 1</script>", "<!-- یادداشت -->",
                                    "<!-- a\n\nb -->"])
def test_style_script_and_comments_vanish(source: str) -> None:
    blocks = read_parts([f"متن\n\n{source}\n\nمتن"])[0][0]
    assert kinds(blocks).count("Str") == 2


def test_a_cells_open_tags_end_with_it() -> None:
    first, second = read_parts(["<div><b>یک", "دو"])
    assert "Strong" in kinds(first[0])
    assert kinds(second[0]) == ["Para", "Str"]


def test_what_leaves_nothing_on_paper_is_told_with_its_address() -> None:
    unseen = read_parts(['<iframe src="https://example.org/v"></iframe>\n\n<video><source src="a.mp4"></video>'])[0][1]
    assert [(one.tag, one.address) for one in unseen] == [("iframe", "https://example.org/v"), ("video", "a.mp4")]


@given(st.lists(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=4), min_size=1,
                max_size=4))
@settings(max_examples=40, deadline=None)
def test_every_row_of_a_table_is_as_wide_as_the_table(rows: list[list[tuple[int, int]]]) -> None:
    source = "".join("<tr>" + "".join(f'<td rowspan="{down}" colspan="{wide}">x' for down, wide in row) for row in rows)
    table = read_parts([f"<table>{source}</table>"])[0][0][0]["c"]
    width = len(table[2])
    held = [0] * width
    for row in (row for body in table[4] for row in body[3]):
        free = held.count(0)
        assert sum(cell[3] for cell in row[1]) == free
        at = [column for column in range(width) if not held[column]]
        held = [max(count - 1, 0) for count in held]
        for cell in row[1]:
            for column in at[:cell[3]]:
                held[column] = cell[2] - 1
            at = at[cell[3]:]
