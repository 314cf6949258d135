"""Left-to-right runs of Persian paragraphs, wrapped in Unicode isolates (UAX #9) so that they keep their order.

Without isolates «FactorVAE، torch» becomes one left-to-right run, C++ is set as ++C, 2024-01-05 as 05-01-2024. A run
may begin in one element and end in another («**l**ist»), so a paragraph is looked at as a whole: as its leaves, the
pieces of text between which only markup stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gozaresh.export.code_bidi import PDI, RLI, is_persian_line

Node = dict[str, Any]
LRI = "\u2066"
PERSIAN = re.compile("[\u0600-\u06ff\u200c\u200d«»]+")
DIGITS = "[۰-۹][۰-۹٫٬]*"
# a signed number or a power of ten in Persian digits: without an isolate its sign would stand at the wrong end
POWER, DEGREES = "×۱۰[⁻⁰¹²³⁴-⁹]+", "°[A-Za-z]*"
NUMBER = re.compile(f"(?<![۰-۹])[-−+±]{DIGITS}(?:{POWER})?(?:{DEGREES})?|{DIGITS}(?:{POWER}|{DEGREES})")
OURS = "\u0600-\u06ff\u200c\u200d\u2066-\u2069«»"  # characters that belong to Persian running text
PIECES = re.compile(f"{NUMBER.pattern}|[{OURS}]+|[^{OURS}]+?(?={NUMBER.pattern}|[{OURS}]|$)")
CORE = re.compile(r"[A-Za-z0-9\u00aa-\u00b5\u00c0-\u024f\u0370-\u052f\u1e00-\u1fff\u3040-\u9fff\uac00-\ud7af]")
LETTER = re.compile(r"[A-Za-z\u00c0-\u024f\u0370-\u052f]")
OPERATORS = {"+", "-", "−", "±", "×", "÷", "=", "<", ">", "≤", "≥", "≈", "≠"}
PAIRS = {")": "(", "]": "["}
OPENING, CLOSING = "([\"“‘", ")]\"”’.,:;!?"
WRAPPERS = {"Emph", "Strong", "Strikeout", "Superscript", "Subscript", "Underline", "SmallCaps"}
HOLDERS = {"Link", "Span", "Quoted"}  # their inlines are the second of their parts


def isolate(inlines: Sequence[Node]) -> list[Node]:
    """Wrap each left-to-right run of a paragraph's inlines in U+2066 … U+2069; the text itself stays as it is."""
    leaves = list(_leaves(inlines))
    if any(LRI in leaf.text or RLI in leaf.text for leaf in leaves):
        return list(inlines)  # already done
    _Runs(leaves).mark()
    return _glued(_rebuilt(inlines, iter(leaves)))


@dataclass
class _Leaf:
    """A piece of text that is all Persian or not at all, a blank, or what is no text; what is put round it."""

    kind: str
    text: str = ""
    before: str = ""
    after: str = ""

    @property
    def is_persian(self) -> bool:
        return self.kind == "Str" and bool(PERSIAN.match(self.text))

    @property
    def is_number(self) -> bool:
        return self.kind == "Str" and bool(re.fullmatch(f"{NUMBER.pattern}|{DIGITS}", self.text))

    @property
    def has_core(self) -> bool:
        return self.kind == "Str" and not self.is_persian and bool(CORE.search(self.text))

    def wrap(self, opening: str) -> None:
        self.before, self.after = opening, PDI


def _leaves(inlines: Sequence[Node]) -> Iterator[_Leaf]:
    for item in inlines:
        if item["t"] == "Str":
            yield from (_Leaf("Str", piece) for piece in PIECES.findall(item["c"]))
        elif item["t"] in WRAPPERS or item["t"] in HOLDERS:
            yield from _leaves(item["c"] if item["t"] in WRAPPERS else item["c"][1])
        else:
            yield _Leaf(item["t"], item["c"][1] if item["t"] == "Code" else "")


def _rebuilt(inlines: Sequence[Node], leaves: Iterator[_Leaf]) -> list[Node]:
    """The inlines with their leaves and what was put round them."""
    out: list[Node] = []
    for item in inlines:
        if item["t"] == "Str":
            for _ in PIECES.findall(item["c"]):
                leaf = next(leaves)
                out.append(_str(leaf.before + leaf.text + leaf.after))
        elif item["t"] in WRAPPERS:
            out.append({**item, "c": _glued(_rebuilt(item["c"], leaves))})
        elif item["t"] in HOLDERS:
            out.append({**item, "c": [item["c"][0], _glued(_rebuilt(item["c"][1], leaves)), *item["c"][2:]]})
        else:
            leaf = next(leaves)
            out += [*([_str(leaf.before)] if leaf.before else []), item, *([_str(leaf.after)] if leaf.after else [])]
    return out


@dataclass
class _Runs:
    """Finds the runs among a paragraph's leaves."""

    leaves: list[_Leaf]

    def mark(self) -> None:
        """Put the isolates round them."""
        if self._all_latin():
            self.leaves[0].before, self.leaves[-1].after = LRI, self.leaves[-1].after + PDI
            return
        at = 0
        while at < len(self.leaves):
            at = max(self._expression(at) or self._run(at), at + 1)

    def _all_latin(self) -> bool:
        said = [leaf.text for leaf in self.leaves if leaf.kind in ("Str", "Code")]
        return not any(map(PERSIAN.search, said)) and any(map(LETTER.search, said))

    def _expression(self, start: int) -> int:
        """Numbers in Persian digits with operators and blanks between, «۱٫۲۵ ± ۰٫۰۳»: the index after the last."""
        end = start + 1 if self.leaves[start].is_number else start
        while end > start and self._goes_on(end):
            end += 4
        if end > start + 1:
            self.leaves[start].before, self.leaves[end - 1].after = LRI, PDI
        return end if end > start + 1 else 0

    def _goes_on(self, at: int) -> bool:
        near = self.leaves[at:at + 4]
        return (len(near) == 4 and near[0].kind == near[2].kind == "Space" and near[1].text in OPERATORS
                and near[3].is_number)

    def _run(self, start: int) -> int:
        """Put isolates round what begins at a leaf; the index after it."""
        first = self.leaves[start]
        if first.kind == "Code":
            first.wrap(RLI if is_persian_line(first.text) else LRI)
        elif first.kind == "Str" and NUMBER.fullmatch(first.text):
            first.wrap(LRI)
        elif first.has_core:
            return self._latin(start)
        return start + 1

    def _latin(self, start: int) -> int:
        """Latin words and numbers that follow each other; punctuation of the sentence around them stays outside."""
        end = start + 1
        for number in range(start + 1, len(self.leaves)):
            leaf = self.leaves[number]
            if leaf.kind == "Str" and not leaf.is_persian:
                end = number + 1 if leaf.has_core else end
            elif leaf.kind not in ("Space", "SoftBreak"):
                break
        run = self.leaves[start:end]
        inner = "".join(leaf.text or " " for leaf in run)
        lead, run[0].text = _split_lead(run[0].text)
        run[0].before = lead + LRI
        run[-1].text, tail = _split_tail(run[-1].text, inner)
        run[-1].after = PDI + tail
        return end


def _str(text: str) -> Node:
    return {"t": "Str", "c": text}


def _split_lead(text: str) -> tuple[str, str]:
    rest = text.lstrip(OPENING)
    return text[: len(text) - len(rest)], rest


def _split_tail(text: str, inner: str) -> tuple[str, str]:
    """Closing marks at the end of a run, but for brackets that were opened inside it."""
    rest = text.rstrip(CLOSING)
    tail = text[len(rest):]
    opened = inner.lstrip(OPENING)
    opened = opened[: len(opened) - len(tail)]
    while tail and tail[0] in PAIRS and opened.count(PAIRS[tail[0]]) > opened.count(tail[0]):
        rest, opened, tail = rest + tail[0], opened + tail[0], tail[1:]
    return rest, tail


def _glued(items: Sequence[Node]) -> list[Node]:
    """Neighbouring Str as one, as pandoc has them."""
    out: list[Node] = []
    for item in items:
        if item["t"] == "Str" and out and out[-1]["t"] == "Str":
            out[-1] = _str(out[-1]["c"] + item["c"])
        else:
            out.append(item)
    return out
