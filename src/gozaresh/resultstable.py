"""The part of the appendix that traces the results: a table of the chapters' runs, and one of results a chapter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gozaresh.author import Table
from gozaresh.origins import Literal, Origin, Provenance, Run
from gozaresh.persian import persian

SHORT = 8  # characters of a digest in a table
PLAIN = re.compile(r"[^`|$@\[\]*_#<>\\^~{}!]{1,24}")  # a value that is the same in a table's cell as in the text
DEVICES = {"cpu": "CPU", "cuda": "CUDA"}


def captioned(table: Table, label: str, caption: str) -> str:
    """A table with its label and caption, as a chapter's table cell gives it."""
    return (f":::::::: {{.gz-float #{label} kind=tbl}}\n{table!r}\n\n"
            f"::::::: {{.gz-caption}}\n{caption}\n:::::::\n::::::::")


def results(provenance: Provenance) -> list[str]:
    """The section as Markdown blocks; empty where no code made anything."""
    tables = [(run, [origin for origin in provenance.origins if origin.chapter == run.chapter and origin.code])
              for run in provenance.runs]
    named = [(f"tbl-results-{number}", run, found) for number, (run, found) in enumerate(tables, 1) if found]
    if not named:
        return []
    return [
        "## شناسنامهٔ نتیجه‌ها {#sec-provenance}",
        "هر شکل، جدول، برنامه و معادله‌ای که برنامهٔ فصل‌ها ساخته است، و هر عدد محاسبه‌شدهٔ متن، در این بخش یک سطر دارد: "
        "خود نتیجه، شمارهٔ سطری از پروندهٔ فصل که نتیجه در آن ساخته یا نوشته شده است، و چکیدهٔ کد. "
        f"چکیدهٔ کد {persian(SHORT)} نویسهٔ نخست SHA-256 برنامهٔ همان جا و همهٔ برنامهٔ پیش از آن در فصل است؛ "
        "تا این چکیده و چکیدهٔ ورودی‌های فصل در @tbl-record عوض نشده باشد، نتیجه از همان برنامه و همان ورودی‌ها آمده است. "
        "شمارهٔ هر شکل، جدول و برنامه در عنوان آن پیوندی به سطر خود در این بخش است، و فرمان `make why LABEL=…` "
        "همین آگاهی‌ها را برای یک برچسب یا یک سطر از فصل نشان می‌دهد.",
        "دانهٔ تصادفی، دستگاه، چکیدهٔ داده و پارامترهایی که مقدارشان پیش‌فرض نیست برای همهٔ نتیجه‌های یک فصل یکی است و "
        f"در @tbl-runs آمده است؛ نتیجه‌های فصل‌ها به ترتیب در {'، '.join(f'@{label}' for label, _, _ in named)} است.",
        captioned(_runs(provenance.runs), "tbl-runs", "آنچه نتیجه‌های هر فصل به آن وابسته است"),
        *(captioned(_results(found), label, f"شناسنامهٔ نتیجه‌های `{run.file}`") for label, run, found in named),
    ]


def _runs(runs: Sequence[Run]) -> Table:
    rows = [[f"`{run.chapter}`", "، ".join(persian(str(seed)) for seed in run.seeds.values()) or "—",
             DEVICES.get(run.device, run.device),
             _pairs({name: digest[:SHORT] for name, digest in run.data.items()}, " "), _pairs(run.parameters, "=")]
            for run in runs]
    return Table(["فصل", "دانه", "دستگاه", "داده", "پارامترهای جز پیش‌فرض"], rows, "lccll")


def _pairs(values: Mapping[str, Literal], sign: str) -> str:
    return " ".join(f"`{name}{sign}{value}`" for name, value in sorted(values.items())) or "—"


def _results(origins: Sequence[Origin]) -> Table:
    """Two results a row, to halve the table's length; read down the first half, then down the second."""
    cells = [[_name(origin), persian(str(origin.line)), f"`{origin.code[:SHORT]}`"] for origin in origins]
    half = (len(cells) + 1) // 2
    second = [*cells[half:], *[["", "", ""]] * (2 * half - len(cells))]
    return Table(["نتیجه", "سطر", "چکیدهٔ کد"] * 2, [[*a, *b] for a, b in zip(cells[:half], second, strict=True)],
                 "lcclcc")


def _name(origin: Origin) -> str:
    """A reference, with a mark that the caption's link goes to; or the value as the page says it."""
    if not origin.is_value:
        return f"`#why(<{origin.name}>)`{{=typst}}@{origin.name}"
    return origin.text if PLAIN.fullmatch(origin.text) and origin.text.strip() else "متن محاسبه‌شده"
