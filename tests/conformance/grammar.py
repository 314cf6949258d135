"""Random executed chapters from the grammar of what is supported: every construct in every place where it may stand.

A chapter is a notebook whose outputs are given, so that nothing is run.
"""

from __future__ import annotations

import base64
import html
import re
import struct
import zlib
from dataclasses import replace

from hypothesis import strategies as st
from nbformat import NotebookNode

from gozaresh.source.cells import Cell, Options
from gozaresh.source.notebook import to_notebook

FILE = "c.py"
ZWNJ = "\u200c"
WORDS = ("شبکه", f"داده{ZWNJ}ها", f"می{ZWNJ}شود", "دورهٔ", "مسئله", "حتماً", "که", "از", "الله", "لایهٔ", "اندازه",
         "و", "نیز",
         f"بهینه{ZWNJ}سازی", "آموزش", "مُدل", "یک", "پژوهش", "گام", "توزیع")
NAMES = ("GAN", "FactorVAE", "β-VAE", "C++", "C#", "node.js", "Python 3.11", "fi", "file", "flow", "office", "a_b",
         "LaTeX",
         "x", "PyTorch", "Müller", "naïve", "email", "AT&T", ".NET", "I/O", "TCP/IP", "λ", "loss")
TOKENS = ("2024-01-05", "1.2.3", "192.0.2.1", "12:30:45", "1/2", "1e-3", "3.14.0-rc1", "v2.1+", "2+3=5", "3×4", "10^-3",
          "#42", "-3.5%", "25%", "64-bit", "978-0-00-000000-2", "+1", "5 > 3", "p<0.05", "≈3.2", "x=3", "100 km/h",
          "a → b", "U+200C", "8×8", "0.5±0.1", "(A)", "[1, 2]", "±2", "$5", "~7")
NUMBERS = ("۲۵", "۰٫۵", "۱٬۲۵۰", "−۳", "-۵", "۲۵،۵۰", "۳۰٪", "۱۴۰۳/۰۲/۱۵", "۳:۲", "[۰, ۱]", "۱٫۲۵ ± ۰٫۰۳", "+۲",
           "۵-۷", "۲۰–۳۰",
           "٪۲۰", "۱۰×۱۰", "۲۰°", "-۵°C", "۲^۳")
SIGNS = ("→", "✓", "★", "…", "...", "–", "—", "±", "×", "≤", "½", "²", "™", "•", "°", "←", "⇒", "●", "≠", "©", "§",
         "☐", "‑", "،", "؛", "!", "؟",
         "*", "&", "%", "/", "=", "+", "|", "~", "^", "<", ">", "@", "#", "$")
ENTITIES = ("&nbsp;", "&mdash;", "&copy;", "&lt;", "&amp;", "&zwnj;", "&#1740;", "&hellip;", "&rarr;", "&eacute;")
FORMULAS = ("x", "x^2+y^2", r"\alpha_i", r"\hat{y}", r"\frac{a}{b}", r"\sum_{i=1}^{n} x_i", r"\sqrt{2}",
            r"p_\theta(x \mid z)",
            r"\ddot x", r"\tilde n", r"x \to \infty", r"\text{خطا} < 0.5", "۲+۳", r"\mathbb{R}^d", r"|x|", r"\bar a",
            "A=B")
CODES = ("x = 1", "f(x)", "server.js", "a[0]", "رشته(متن)", "اگر a بزرگ", "x = 'متن'", "**kw", "<b>", "a|b", "#!/bin",
         "$HOME", "متن",
         "git commit -m \"x\"", "->", "[متن]", "۲ + ۳")
PYTHON = ("x = 1", "def f(a):", "    return a  # بازگشت (نخست)", 'نام = "متن (فارسی)"', "# توضیح: loss است",
          "print(f\"دقت: {x:.2f}\\n\")",
          'd = {"سیب": 1, "توت": -2}', "", "    if x > 2 and y != 3:", "        pass", "@property",
          "x = [1, 2, 3]  # [بازه]",
          '"""متن سند."""', "lambda x: x ** 2", "l = 'fi fl'", "s = r'\\d+'")
PRINTED = ("جمع 45", "دقت = 0.95", "epoch 1, loss=0.95", "['سیب', 'توت']", "درصد 25%", "مقدار -12", "  45 جمع (کل)",
           "a\tb", "x → y",
           "لایه ورودی (۳ نورون)", "    ↓", "100%|####| 3/3", "{'نام': 1.5}", "file fl.txt", "خطا: (loss) 0.1",
           "۱۲ ۳۴", "-5", "",
           "\x1b[31mقرمز\x1b[0m", "10%\r100%", "a" * 130, "تمام شد.", "<b>x</b>", "*** done ***", "----")
PUNCTUATION = ("", "", "", "،", ".", ":", "؛", "!", "؟")


def escaped(text: str) -> str:
    """The text as Markdown that says just this."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]()#+-.!<>~^$|@&'\":=" else char for char in text)


def joined(parts: list[str]) -> str:
    return " ".join(part for part in parts if part)


plain_word = st.sampled_from(WORDS)
name = st.sampled_from(NAMES).map(lambda text: escaped(text) if set(text) & set("_#&<*") else text)
token = st.sampled_from((*TOKENS, *NUMBERS)).map(escaped)
number = st.sampled_from(NUMBERS)
sign = st.sampled_from(SIGNS).map(lambda text: escaped(text) if text.isascii() else text)


def phrase(most: int = 4) -> st.SearchStrategy[str]:
    """A few words without markup, Persian for the most part, that begin in Persian."""
    one = st.one_of(plain_word, plain_word, plain_word, name, number)
    return st.tuples(plain_word, st.lists(one, max_size=most - 1)).map(lambda pair: joined([pair[0], *pair[1]]))


@st.composite
def inline(draw: st.DrawFn, depth: int = 1) -> str:
    """One piece of running text."""
    kind = draw(st.sampled_from(("words", "words", "words", "name", "token", "sign", "entity", "formula", "code",
                                 "wrapped",
                                 "part", "link", "quoted", "bracketed", "address", "raw")))
    if kind == "name":
        return draw(name)
    if kind == "token":
        return draw(token)
    if kind == "sign":
        return draw(sign)
    if kind == "entity":
        return draw(plain_word) + draw(st.sampled_from(ENTITIES)) + draw(plain_word)
    if kind == "formula":
        return f"${draw(st.sampled_from(FORMULAS))}$"
    if kind == "code":
        return f"`{draw(st.sampled_from(CODES))}`"
    if kind == "address":
        return draw(st.sampled_from(("<https://example.org/a?b=1&c=2>", "https://example.org", "<info@example.org>")))
    if kind == "raw":
        return draw(st.sampled_from(("a*b", "x_1 و y_2", "5 * 3", "نام\\_خانوادگی", "\\*نه\\*", "ها«یی»", "«»",
                                     "(۱) و (۲)", "الف) ب)",
                                     "3. نه", "(الف)", "«الف»، «ب»", "e.g. this", "متن...", "بله/خیر", "سی‌وسه")))
    if depth and kind in ("wrapped", "link", "quoted", "bracketed", "part"):
        inner = joined(draw(st.lists(inline(depth - 1), min_size=1, max_size=3)))
        if kind == "link":
            return f"[{inner}](https://example.org/{draw(st.sampled_from(('a', 'b_c', 'd%20e')))})"
        if kind == "quoted":
            return f"«{inner}»"
        if kind == "bracketed":
            return f"({inner})"
        if kind == "part":  # markup inside a word
            return draw(st.sampled_from(("**l**ist", "*f*ile", "بازن**گری**", "H~2~O", "x^2^", "**ک**تاب",
                                         "می\u200c**شود**")))
        mark = draw(st.sampled_from(("**", "*", "~~", "***")))
        return f"{mark}{inner.strip()}{mark}"
    return draw(phrase())


@st.composite
def text(draw: st.DrawFn, most: int = 6) -> str:
    """A running text on one line; it begins in Persian or Latin, not in a sign that opens a block."""
    first = draw(st.one_of(phrase(2), phrase(2), st.sampled_from(("GAN", "**مهم**", "`x`", "$x$", "«متن»", "(متن)",
                                                                  "PyTorch و"))))
    parts = draw(st.lists(inline(), max_size=most))
    return joined([first, *(part + draw(st.sampled_from(PUNCTUATION)) for part in parts)])


@st.composite
def paragraph(draw: st.DrawFn) -> str:
    lines = draw(st.lists(text(), min_size=1, max_size=3))
    return draw(st.sampled_from(("\n", " ", "\\\n", "  \n"))).join(lines)


@st.composite
def fence(draw: st.DrawFn) -> str:
    language = draw(st.sampled_from(("python", "", "text", "bash", "python")))
    lines = draw(st.lists(st.sampled_from(PYTHON if language == "python" else tuple(
        line for line in PRINTED if "\x1b" not in line and "\r" not in line and "\t" not in line)), min_size=1,
        max_size=5))
    return f"```{language}\n" + "\n".join(lines) + "\n```"


def indented(block: str, by: str) -> str:
    return "\n".join(by + line if line or by.strip() else line for line in block.split("\n"))


@st.composite
def items(draw: st.DrawFn, depth: int) -> str:
    """A list: bulleted or numbered, tight or loose, with what may stand in an item."""
    ordered, loose = draw(st.booleans()), draw(st.booleans())
    start = draw(st.sampled_from((1, 1, 1, 4))) if ordered else 0
    out = []
    for at in range(draw(st.integers(1, 3))):
        mark = f"{start + at}." if ordered else "-"
        blocks = [draw(text(3))]
        if depth:
            extra = draw(st.sampled_from(("", "", "", "list", "fence", "paragraph", "formula", "quote")))
            if extra == "list":
                blocks.append(draw(items(depth - 1)))
            elif extra == "fence":
                blocks.append("\n" + draw(fence()))
            elif extra == "paragraph":
                blocks.append("\n" + draw(text(3)))
            elif extra == "formula":
                blocks.append(f"\n$$ {draw(st.sampled_from(FORMULAS))} $$")
            elif extra == "quote":
                blocks.append("\n> " + draw(text(3)))
        width = " " * 4
        body = indented("\n".join(blocks), width).lstrip()
        out.append(f"{mark:<4}{body}")
    return ("\n\n" if loose else "\n").join(out)


@st.composite
def table(draw: st.DrawFn) -> str:
    width, height = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    piece = st.one_of(st.just(""), phrase(2), name, number, token,
                      st.sampled_from(FORMULAS[:6]).map(lambda tex: f"${tex}$"),
                      st.sampled_from(("`x = 1`", "**متن**", "1\\.", "\\- ندارد", "-", "۳. سوم",
                                       "[پیوند](https://example.org)")))
    def row() -> str:
        return "| " + " | ".join(draw(piece).replace("|", "\\|").replace("\\\\|", "\\|") for _ in range(width)) + " |"
    marks = " | ".join(draw(st.sampled_from((":--", ":-:", "--:", "---"))) for _ in range(width))
    lines = [row(), f"| {marks} |", *(row() for _ in range(height))]
    caption = f"\n\n: {draw(text(2))}" + " {#tbl-NEW}" if draw(st.booleans()) else ""
    return "\n".join(lines) + caption


@st.composite
def equation(draw: st.DrawFn) -> str:
    tex = draw(st.sampled_from((*FORMULAS, r"\begin{aligned} a &= b \\ c &= d \end{aligned}",
                                r"\begin{cases} 1 & x > 0 \\ 0 & \text{وگرنه} \end{cases}")))
    label = " {#eq-NEW}" if draw(st.booleans()) else ""
    return draw(st.sampled_from((f"$${tex}$${label}", f"$$\n{tex}\n$${label}",
                                 f"متن پیش:\n$$ {tex} $${label}\nمتن پس.")))


@st.composite
def quote(draw: st.DrawFn) -> str:
    blocks = draw(st.lists(st.one_of(paragraph(), paragraph(), items(1), fence(), equation()), min_size=1, max_size=3))
    return indented("\n\n".join(blocks), "> ")


@st.composite
def footnoted(draw: st.DrawFn) -> str:
    key = "nNEW"
    note = draw(st.sampled_from(("", "\n\n    " + draw(text(2)))))
    return f"{draw(text(2))}[^{key}] {draw(text(2))}\n\n[^{key}]: {draw(text(3))}{note}"


@st.composite
def definitions(draw: st.DrawFn) -> str:
    said = [[draw(text(3)) for _ in range(draw(st.integers(1, 2)))] for _ in range(draw(st.integers(1, 2)))]
    return "\n\n".join("\n:   ".join([draw(phrase(2)), *texts]) for texts in said)


verse = st.lists(phrase(5), min_size=1, max_size=3).map(lambda lines: "\n".join(f"| {line}" for line in lines))
block = st.one_of(paragraph(), paragraph(), paragraph(), items(1), items(1), quote(), fence(), table(), equation(),
                  footnoted(),
                  definitions(), verse, st.just("* * *"))


@st.composite
def section(draw: st.DrawFn, level: int) -> str:
    label = draw(st.sampled_from(("", " {#sec-NEW}", " {-}")))
    return f"{'#' * level} {draw(text(2))}{label}\n\n" + "\n\n".join(draw(st.lists(block, min_size=1, max_size=3)))


# --- outputs ---------------------------------------------------------------------------------------------------------
def png(width: int, height: int) -> bytes:
    """A small picture."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes([70, 130, 180]) * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


SVG = ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20" width="40" height="20">'
       '<rect width="30" height="10" fill="teal"/></svg>')


def output(kind: str, data: object, **more: object) -> NotebookNode:
    if kind == "stream":
        return NotebookNode(output_type="stream", name="stdout", text=data)
    return NotebookNode(output_type=kind, data=NotebookNode(data), metadata=NotebookNode(), **more)


@st.composite
def html_table(draw: st.DrawFn) -> str:
    """A table as pandas writes it: an index, a head of one or two rows, merged cells."""
    columns, rows = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    value = st.one_of(phrase(2), st.sampled_from((*NAMES, *TOKENS, *NUMBERS, "NaN", "", "a<b>", "1.5")))
    def cells(tag: str, count: int) -> str:
        return "".join(f"<{tag}>{html.escape(draw(value))}</{tag}>" for _ in range(count))
    head = f"<tr><th></th>{cells('th', columns)}</tr>"
    if draw(st.booleans()):
        head = f'<tr><th></th><th colspan="{columns}" halign="left">{html.escape(draw(value))}</th></tr>' + head
    body = "".join(f"<tr><th>{at}</th>{cells('td', columns)}</tr>" for at in range(rows))
    if rows > 1 and draw(st.booleans()):
        body = f'<tr><th rowspan="2">م</th>{cells("td", columns)}</tr><tr>{cells("td", columns)}</tr>'
    size = f"<p>{rows} rows × {columns} columns</p>" if draw(st.booleans()) else ""
    return ('<div><style scoped>.dataframe th {}</style>\n<table border="1" class="dataframe">'
            f"<thead>{head}</thead><tbody>{body}</tbody></table>{size}</div>")


@st.composite
def executed(draw: st.DrawFn) -> tuple[str, Options, list[NotebookNode]]:
    """A code cell with what it shows."""
    code = "\n".join(draw(st.lists(st.sampled_from(PYTHON), min_size=1, max_size=4)))
    key = "NEW"
    printed = output("stream", "\n".join(draw(st.lists(st.sampled_from(PRINTED), min_size=1, max_size=5))) + "\n")
    picture = draw(st.sampled_from(({"image/png": base64.b64encode(png(40, 20)).decode()}, {"image/svg+xml": SVG})))
    kind = draw(st.sampled_from(("printed", "picture", "figure", "frame", "table", "markdown", "latex", "html",
                                 "value", "listing")))
    echo, caption = draw(st.booleans()), draw(text(2))
    if kind == "picture":
        return code, Options(echo=echo), [printed, output("display_data", picture), output("display_data", picture)]
    if kind == "figure":
        drawn = output("execute_result", {"text/plain": "[<matplotlib.lines.Line2D at 0x7f00aabbcc>]"},
                       execution_count=1)
        return code, Options(label=f"fig-{key}", fig_cap=caption, fig_alt=draw(phrase()), echo=echo), [
            output("display_data", picture), drawn]
    if kind in ("frame", "table"):
        data = {"text/html": draw(html_table()), "text/plain": "  x\n0 1"}
        options = Options(label=f"tbl-{key}", tbl_cap=caption, echo=echo) if kind == "table" else Options(echo=echo)
        return code, options, [output("execute_result", data, execution_count=1)]
    if kind == "listing":
        return code or "x", Options(lst_label=f"lst-{key}", lst_cap=caption, echo=True), [printed]
    shown = {"markdown": {"text/markdown": draw(block), "text/plain": "x"},
             "latex": {"text/latex": rf"$\displaystyle {draw(st.sampled_from(FORMULAS))}$", "text/plain": "x"},
             "html": {"text/html": f"<p>{draw(phrase())} <b>{draw(phrase(2))}</b></p><ul><li>{draw(phrase(2))}</ul>"},
             "value": {"text/plain": draw(st.sampled_from(("45", "['سیب', 2]", "'متن'", "{'a': 1}", "(1, 2)",
                                                           "سیب    1\nتوت    2")))}}
    outputs = [output("execute_result", shown[kind], execution_count=1)] if kind in shown else [printed]
    return code, Options(echo=echo), outputs


@st.composite
def chapters(draw: st.DrawFn, most: int = 4) -> NotebookNode:
    """An executed chapter."""
    number_of = _Numbers()
    cells = [Cell("markdown", number_of(draw(section(1))), FILE, 1)]
    shown: list[list[NotebookNode]] = []
    for _ in range(draw(st.integers(1, most))):
        line = cells[-1].line + cells[-1].source.count("\n") + 4
        if draw(st.booleans()):
            cells.append(Cell("markdown", number_of(draw(section(2))), FILE, line))
        else:
            code, options, outputs = draw(executed())
            names = {name: number_of(getattr(options, name)) for name in ("label", "lst_label")}
            cells.append(Cell("code", code.strip() or "x", FILE, line, (), replace(options, **names)))
            for output in outputs:
                if "text/markdown" in output.get("data", {}):
                    output.data["text/markdown"] = number_of(output.data["text/markdown"])
            shown.append(outputs)
    return filled(cells, shown)


class _Numbers:
    """Labels and footnotes by themselves: drawn numbers would be drawn twice."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, text: str) -> str:
        return re.sub(r"(?<=-)NEW|nNEW", self._next, text)

    def _next(self, found: re.Match[str]) -> str:
        self._count += 2 if found[0] == "NEW" else 1  # a footnote's name stands twice, one after the other
        return str(self._count) if found[0] == "NEW" else f"n{(self._count + 1) // 2}"


def filled(cells: list[Cell], outputs: list[list[NotebookNode]]) -> NotebookNode:
    """The notebook of a chapter whose code cells show what is given."""
    notebook = to_notebook(cells)
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell, shown in zip(codes, outputs, strict=True):
        cell.outputs, cell.execution_count = shown, 1
    return notebook

