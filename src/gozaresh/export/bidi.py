"""Left-to-right runs of Persian paragraphs, wrapped in Unicode isolates (UAX #9) so that they keep their order.

Without isolates «FactorVAE، torch» becomes one left-to-right run, C++ is set as ++C and -3 as 3-.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

Node = dict[str, Any]
LRI, PDI = "\u2066", "\u2069"
PERSIAN = re.compile("[\u0600-\u06ff\u200c\u200d«»]+")
# a signed number or a power of ten in Persian digits: without an isolate its sign would stand at the wrong end
NUMBER = re.compile("(?<![۰-۹])[-−+±][۰-۹][۰-۹٫٬]*(?:×۱۰[⁻⁰¹²³⁴-⁹]+)?|[۰-۹][۰-۹٫٬]*×۱۰[⁻⁰¹²³⁴-⁹]+")
OURS = "\u0600-\u06ff\u200c\u200d\u2066\u2069«»"  # characters that belong to Persian running text
PIECES = re.compile(f"{NUMBER.pattern}|[{OURS}]+|[^{OURS}]+?(?={NUMBER.pattern}|[{OURS}]|$)")
STARTS_RUN = re.compile(r"[A-Za-z\u0370-\u03ff]|^[(\[]*[-+−]\d|\d%")  # a letter, a signed number, a percentage
CORE = re.compile(r"[A-Za-z0-9\u0370-\u03ff]")
PAIRS = {")": "(", "]": "["}
OPENING, CLOSING = "([\"“‘", ")]\"”’.,:;!?"


def isolate(inlines: Sequence[Node]) -> list[Node]:
    """Wrap each left-to-right run of a list of pandoc inlines in U+2066 … U+2069; the text itself stays as it is."""
    if any(LRI in item["c"] for item in inlines if item["t"] == "Str"):
        return list(inlines)  # already done
    tokens = list(_tokens(inlines))
    out: list[Node] = []
    at = 0
    while at < len(tokens):
        end = _run_end(tokens, at)
        if end > at:
            out += _wrapped(tokens[at:end])
        elif tokens[at]["t"] == "Code":
            out += [_str(LRI), tokens[at], _str(PDI)]
        else:
            out.append(tokens[at])
        at = max(end, at + 1)
    return _glued(out)


def _str(text: str) -> Node:
    return {"t": "Str", "c": text}


def _tokens(inlines: Sequence[Node]) -> Iterator[Node]:
    """The inlines with every Str split where Persian begins or ends."""
    for item in inlines:
        if item["t"] == "Str":
            yield from (_str(piece) for piece in PIECES.findall(item["c"]))
        else:
            yield item


def _run_end(tokens: Sequence[Node], start: int) -> int:
    """The index after the last token of the run that starts at ``start``; ``start`` itself if none does."""
    first = tokens[start]
    if first["t"] == "Str" and NUMBER.fullmatch(first["c"]):
        return start + 1
    if first["t"] != "Str" or PERSIAN.match(first["c"]) or not STARTS_RUN.search(first["c"]):
        return start
    end = start + 1
    for number in range(start + 1, len(tokens)):
        token = tokens[number]
        if token["t"] == "Str" and not PERSIAN.match(token["c"]):
            end = number + 1 if CORE.search(token["c"]) else end
        elif token["t"] not in ("Space", "SoftBreak"):
            break
    return end


def _wrapped(run: Sequence[Node]) -> list[Node]:
    """The run between isolates; punctuation that belongs to the sentence around it stays outside."""
    items = [dict(item) for item in run]
    if len(run) == 1 and NUMBER.fullmatch(items[0]["c"]):
        return [_str(LRI), *items, _str(PDI)]
    lead, items[0]["c"] = _split_lead(items[0]["c"])
    inner = "".join(item.get("c", " ") for item in items)
    items[-1]["c"], tail = _split_tail(items[-1]["c"], inner)
    edges = [_str(lead)] if lead else []
    return [*edges, _str(LRI), *items, _str(PDI), *([_str(tail)] if tail else [])]


def _split_lead(text: str) -> tuple[str, str]:
    rest = text.lstrip(OPENING)
    return text[: len(text) - len(rest)], rest


def _split_tail(text: str, inner: str) -> tuple[str, str]:
    """Closing marks at the end of a run, but for brackets that were opened inside it."""
    rest = text.rstrip(CLOSING)
    tail = text[len(rest):]
    opened = inner[: len(inner) - len(tail)]
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
