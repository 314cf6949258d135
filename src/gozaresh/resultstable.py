"""The part of the appendix that traces the results: a table of the chapters' runs, and one of results a chapter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, groupby

from gozaresh.author import Table
from gozaresh.document import floated
from gozaresh.origins import Literal, Origin, Provenance, Run
from gozaresh.persian import persian

SHORT = 8  # characters of a digest in a table
LONGEST = 20  # characters of the values that stand together
PLAIN = re.compile(r"[^`|$@\[\]*_#<>\\^~{}!]{1,24}")  # a value that is the same in a table's cell as in the text
DEVICES = {"cpu": "CPU", "cuda": "CUDA"}


def captioned(table: Table, label: str, caption: str) -> str:
    """A table with its label and caption, as a chapter's table cell gives it."""
    return floated(f"#{label} kind=tbl", repr(table), caption)


def results(provenance: Provenance) -> list[str]:
    """The section as Markdown blocks; empty where no code made anything."""
    tables = [(run, [origin for origin in provenance.origins if origin.chapter == run.chapter and origin.code])
              for run in provenance.runs]
    named = [(f"tbl-results-{number}", run, found) for number, (run, found) in enumerate(tables, 1) if found]
    if not named:
        return []
    return [
        "## شناسنامهٔ نتیجه‌ها {#sec-provenance}",
        "هر شکل، جدول، برنامه و معادله‌ای که برنامهٔ فصل‌ها ساخته است، و هر عدد محاسبه‌شدهٔ متن، در این بخش آمده است: "
        "خود نتیجه، سطری از پروندهٔ فصل که خانهٔ سازندهٔ آن از آنجا آغاز می‌شود "
        "(برای عدد، سطری که عدد در آن نوشته شده است)، و چکیدهٔ کد. "
        f"چکیدهٔ کد {persian(SHORT)} نویسهٔ نخست SHA-256 برنامهٔ همان جا و همهٔ برنامهٔ پیش از آن در فصل است؛ "
        "تا این چکیده و چکیدهٔ ورودی‌های فصل در @tbl-record عوض نشده باشد، نتیجه از همان برنامه و همان ورودی‌ها آمده است. "
        "شمارهٔ این شکل‌ها، جدول‌ها و برنامه‌ها در عنوانشان پیوندی به سطر آن‌ها در این بخش است، و فرمان `make why LABEL=…` "
        "همین آگاهی‌ها را برای یک برچسب یا یک سطر از فصل نشان می‌دهد.",
        "دانهٔ تصادفی، دستگاه، چکیدهٔ داده و پارامترهایی که مقدارشان پیش‌فرض نیست برای همهٔ نتیجه‌های یک فصل یکی است و "
        "در @tbl-runs آمده است و روز اجرا در @tbl-record؛ "
        f"نتیجه‌های فصل‌ها به ترتیب در {'، '.join(f'@{label}' for label, _, _ in named)} است.",
        captioned(_runs(provenance), "tbl-runs", "آنچه نتیجه‌های هر فصل به آن وابسته است"),
        *(captioned(_results(found), label, f"شناسنامهٔ نتیجه‌های {_chapter(run, provenance)}")
          for label, run, found in named),
    ]


def _chapter(run: Run, provenance: Provenance) -> str:
    """A reference to the chapter by its first heading, or the name of its file where that has no label."""
    here = (origin.name for origin in provenance.origins if origin.chapter == run.chapter)
    heading = next((name for name in here if name.startswith("sec-")), "")
    return f"@{heading}" if heading else f"`{run.chapter}`"


def _runs(provenance: Provenance) -> Table:
    rows = [[_chapter(run, provenance), f"`{run.chapter}`",
             "، ".join(persian(str(seed)) for seed in run.seeds.values()) or "—", DEVICES.get(run.device, run.device),
             _pairs({name: digest[:SHORT] for name, digest in run.data.items()}, " "), _pairs(run.parameters, "=")]
            for run in provenance.runs]
    return Table(["فصل", "پرونده", "دانه", "دستگاه", "داده", "پارامترهای جز پیش‌فرض"], rows, "llccll")


def _pairs(values: Mapping[str, Literal], sign: str) -> str:
    return " ".join(f"`{name}{sign}{value}`" for name, value in sorted(values.items())) or "—"


def _results(origins: Sequence[Origin]) -> Table:
    """Two results a row, to halve the table's length."""
    cells = [[name, persian(str(line)), f"`{code[:SHORT]}`"] for name, line, code in _entries(origins)]
    second = [*cells[1::2], ["", "", ""]]
    return Table(["نتیجه", "سطر", "چکیدهٔ کد"] * 2, [[*a, *b] for a, b in zip(cells[::2], second, strict=False)],
                 "lcclcc")


def _entries(origins: Sequence[Origin]) -> Iterator[tuple[str, int, str]]:
    """Name, line and code of each result; the values of one line stand together as long as they are short."""
    for (line, code, is_value), group in groupby(origins, key=_where):
        names = [_name(origin) for origin in group]
        while names:
            count = _fitting(names) if is_value else 1
            yield "؛ ".join(names[:count]), line, code
            names = names[count:]


def _where(origin: Origin) -> tuple[int, str, bool]:
    return origin.line, origin.code, origin.is_value


def _fitting(names: Sequence[str]) -> int:
    """How many of the values, at least one, fit in a cell."""
    lengths = list(accumulate(len(name) for name in names))
    return max(1, sum(length <= LONGEST for length in lengths))


def _name(origin: Origin) -> str:
    """A reference, with a mark that the caption's link goes to; or the value as the page says it."""
    if not origin.is_value:
        return f"`#why(<{origin.name}>)`{{=typst}}@{origin.name}"
    return origin.text if PLAIN.fullmatch(origin.text) and origin.text.strip() else "متن محاسبه‌شده"
