"""pandoc finds the blocks that CommonMark's own parser finds, and every line knows where it came from."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gozaresh.export.commonmark import FENCE, GONE, for_pandoc
from gozaresh.export.reading import read_parts

LINES = ["متن فارسی", "- یک", "1. یک", "> نقل", "# سرفصل", "***", "```",
         "<div>", "</div>", "", "| a | b |", "|---|---|",
         "  <p>x</p>", "    کد", "x `y` $z$", "* * *", "$$"]
PLAIN = [line for line in LINES if not line.lstrip().startswith(("$$", "|", "کد", "<"))]
KINDS = {"paragraph_open": "Para", "heading_open": "Header", "fence": "CodeBlock", "blockquote_open": "BlockQuote",
         "bullet_list_open": "BulletList", "ordered_list_open": "OrderedList", "hr": "HorizontalRule"}


@given(st.lists(st.sampled_from(LINES), max_size=12))
def test_lines_are_added_and_none_is_lost(lines: list[str]) -> None:
    text = "\n".join(lines)
    done = for_pandoc(text)
    written = done.text.split("\n")
    assert len(done.origin) == len(written)
    assert list(done.origin) == sorted(done.origin)
    for number, line in enumerate(lines, 1):
        kept = [written[at] for at, origin in enumerate(done.origin) if origin == number]
        assert line in kept or line.strip() in ("", "* * *", "***") or not any(kept) or text.count("$$") > 1


@given(st.lists(st.sampled_from(PLAIN),
                min_size=1, max_size=7).map("\n".join))
@settings(max_examples=25, deadline=None)
def test_pandoc_sees_the_blocks_of_commonmark(text: str) -> None:
    tokens = MarkdownIt("commonmark", {"html": True}).parse(text)
    wanted = [KINDS[token.type] for token in tokens if token.level == 0 and token.type in KINDS]
    found = [block["t"].replace("Plain", "Para") for block in read_parts([text])[0][0]]
    assert [kind for kind in found if kind in KINDS.values()] == wanted


@pytest.mark.parametrize(("text", "first"), [
    ("متن:\n```bash\nls\n```", "CodeBlock"), ("متن\n\n---\nمتن", "HorizontalRule"), ("۱. یک\n۲. دو", "OrderedList"),
    ("1- یک\n2- دو", "OrderedList"), ("متن\n> نقل", "BlockQuote"), ("متن\n- یک", "BulletList")])
def test_a_block_right_below_a_line_of_text(text: str, first: str) -> None:
    assert first in [block["t"] for block in read_parts([text])[0][0]]


def test_html_goes_to_the_next_empty_line() -> None:
    done = for_pandoc("<div>\n    نه کد\n\n**متن**\n</div>").text.split("\n")
    assert done.count(f"{FENCE}{{=html}}") == 2
    assert GONE not in for_pandoc("$$\n\nx\n\n$$").text
