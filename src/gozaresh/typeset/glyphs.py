"""Characters that no font of a report has: found before the report is set, all at once, with their code points."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from gozaresh.common.errors import Place, Problem

SURE = re.compile("[\x00-\x7f\u0600-\u06ff\u200c\ue000-\uf8ff]")  # asked of no font: ASCII, Persian, marks of ours
UNSHOWN = re.compile(r"the text `\"(.+?)\"` could not be displayed")
NO_GLYPH = frozenset({"Cc", "Cf", "Cs", "Mn", "Me", "Mc", "Zs", "Zl", "Zp"})  # drawn by what stands beside them, or not
MOST = 8  # characters that one problem names


def missing_glyphs(texts: Mapping[str, str], fonts: Path) -> list[Problem]:
    """A problem for each line with characters that no font has, at the first of them; ``texts`` by their files' names.

    ``fonts`` is the folder of the fonts beside those that come with Typst.
    """
    characters = frozenset(char for text in texts.values() for char in set(text) if _asked(char))
    unshown = _unshown(characters, fonts)
    return [problem for file, text in texts.items() for problem in _problems(file, text, unshown)] if unshown else []


def _asked(char: str) -> bool:
    return not SURE.match(char) and unicodedata.category(char) not in NO_GLYPH


def _problems(file: str, text: str, unshown: frozenset[str]) -> Iterator[Problem]:
    for number, line in enumerate(text.split("\n"), 1):
        found = list(dict.fromkeys(char for char in line if char in unshown))
        if found:
            yield Problem(Place(file, number, line.index(found[0])), f"no font has {_named(found)}")


def _named(characters: Iterable[str]) -> str:
    named = [f"«{char}» (U+{ord(char):04X})" for char in characters]
    return ", ".join(named[:MOST]) + (f" and {len(named) - MOST} more" if len(named) > MOST else "")


@lru_cache(maxsize=16)
def _unshown(characters: frozenset[str], fonts: Path) -> frozenset[str]:
    """Those of the characters that Typst cannot show, by Typst's own account: PDF/UA wants a glyph for each."""
    import typst

    asked = "\n\n".join(f"#text({_quoted(char)})" for char in sorted(characters))
    source = f'#set document(title: "x")\n{asked}'.encode()
    try:
        typst.Compiler(source, font_paths=typst.Fonts(False, True, [fonts])).compile(pdf_standards=["ua-1"])
    except typst.TypstError as error:
        return frozenset(char for found in UNSHOWN.findall(error.diagnostic or "") for char in found) & characters
    return frozenset()


def _quoted(char: str) -> str:
    return f'"\\u{{{ord(char):x}}}"'
