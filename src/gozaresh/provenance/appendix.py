"""The appendix that every report gets: profile, parameters, environment and the record of the run."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import accumulate, groupby

from gozaresh.author import Table
from gozaresh.common.checks import MATHS, PERSIAN, WAYS, Check
from gozaresh.common.environment import cuda_present, version
from gozaresh.common.persian import jalali, persian
from gozaresh.export.document import floated
from gozaresh.export.ledger import collect, marks
from gozaresh.provenance.record import Literal, Origin, Provenance, Run
from gozaresh.provenance.trace import Chapter
from gozaresh.source.notebook import metadata

HALF = 32  # characters of a digest in a line
PACKAGES = ("jupytext", "papermill", "nbconvert", "pypandoc_binary", "typst", "pikepdf", "matplotlib", "numpy",
            "sympy", "torch", "safetensors", "pillow", "graphviz", "graphviz-pure")


SECTIONS = ("sec-run-record", "sec-parameters", "sec-ledger", "sec-environment", "sec-record", "sec-provenance")
TABLES = ("tbl-parameters", "tbl-environment", "tbl-record", "tbl-ledger", "tbl-stated", "tbl-runs")


def labels(chapters: int) -> tuple[str, ...]:
    """All labels that the appendix of a report of so many chapters may define; no chapter may define them."""
    return (*SECTIONS, *TABLES, *(f"tbl-results-{number}" for number in range(1, chapters + 1)))


def appendix(chapters: Sequence[Chapter], provenance: Provenance) -> str:
    """The appendix as Markdown."""
    profile = provenance.profile
    kept = [chapter for chapter in chapters if "kept" in metadata(chapter.executed)]
    if kept:
        return _kept(kept)
    return "\n\n".join([
        "# پارامترها و سند اجرا {#sec-run-record}",
        f"این گزارش با نمایهٔ `{profile}` ساخته شده است. "
        "هر عددی که نتیجهٔ محاسبه است در همین اجرا حساب شده یا از سندی آمده که متن نام برده است، "
        "و با دست نوشته نشده است.",
        "## پارامترها {#sec-parameters}", _parameters(chapters),
        *_ledger(chapters, {run.chapter: _chapter(run, provenance) for run in provenance.runs}),
        "## محیط اجرا {#sec-environment}",
        "نسخهٔ ابزارهایی که گزارش با آن‌ها اجرا و حروف‌چینی شده، در @tbl-environment آمده است.",
        captioned(_environment(), "tbl-environment", "محیطی که گزارش در آن اجرا شده است"),
        "## سند اجرا {#sec-record}",
        "در @tbl-record برای هر فصل روز اجرا و چکیدهٔ ورودی‌های آن (متن برنامه، پارامترها، پیمانه‌ها، "
        "داده و محیط) آمده است؛ اگر هیچ‌یک از این ورودی‌ها تغییر نکند، فصل دوباره اجرا نمی‌شود.",
        captioned(_record(chapters), "tbl-record", "سند اجرای فصل‌ها"),
        *results(provenance),
    ])


def _kept(chapters: Sequence[Chapter]) -> str:
    """The record of documents whose kept outputs are set: nothing was run here."""
    rows = [[f"`{chapter.name}`", f"`{metadata(chapter.executed)['kept'][at:at + HALF]}`"]
            for chapter in chapters for at in (0, HALF)]
    rows = [[name if number % 2 == 0 else "", digest] for number, (name, digest) in enumerate(rows)]
    table = Table(["سند", "چکیدهٔ SHA-256"], rows, "ll")
    return "\n\n".join([
        "# سند ساخت {#sec-run-record}",
        "برنامه‌های این سند در اینجا **اجرا نشده‌اند**: خروجی‌ها همان‌هایی است که خود سند از اجرای پیشینش نگه داشته بود، "
        "و درستی آن‌ها بررسی نشده است. چکیدهٔ سندی که این صفحه‌ها از آن ساخته شده در @tbl-record آمده است.",
        captioned(table, "tbl-record", "سندی که صفحه‌ها از آن ساخته شده است"),
    ])


def _ledger(chapters: Sequence[Chapter], names: Mapping[str, str]) -> list[str]:
    """How the equations were checked: counts by chapter, and what is only stated and why; empty without a ledger."""
    found = {names.get(chapter.name, f"`{chapter.name}`"): collect(chapter.executed) for chapter in chapters}
    if not any(found.values()):
        return []
    stated = [[f"@{check.label}", check.claim] for steps in found.values() for check in steps if check.how == "stated"]
    return [
        "## دفتر بررسی معادله‌ها {#sec-ledger}",
        f"کنار شمارهٔ هر معادله نشانی هست که می‌گوید آن معادله چگونه بررسی شده است: {MATHS['proved']} یعنی هر رابطهٔ آن "
        "گواهی اثباتی دارد که برنامه‌ای جدا گام‌به‌گام بازبینی کرده است و شرط‌هایش کنار گام آمده است؛ "
        f"{MATHS['tested']} یعنی دست‌کم یک گام تنها روی موردهای شمرده‌شده آزموده شده است؛ "
        f"{MATHS['stated']} یعنی دست‌کم یک گام تعریف، فرض یا قضیه‌ای است که از منبع آمده و در اینجا تنها بیان شده است. "
        f"گام‌های {MATHS['defined']} نامی را تعریف می‌کنند و چیزی برای اثبات ندارند. "
        "نشان هر معادله از سست‌ترین گام آن می‌آید و معادله‌ای که شماره ندارد نشانی هم ندارد. "
        "@tbl-ledger شمار معادله‌ها و گام‌های هر فصل را می‌آورد و "
        "@tbl-stated هرچه را تنها بیان شده است، با دلیل آن.",
        captioned(_counts(found), "tbl-ledger", "شمار معادله‌ها و گام‌ها به تفکیک شیوهٔ بررسی"),
        captioned(Table(["معادله", "آنچه بیان شده و چرا"], stated, "ll"), "tbl-stated", "گام‌هایی که تنها بیان شده‌اند"),
    ]


def _counts(found: Mapping[str, Sequence[Check]]) -> Table:
    header = ["فصل", *(f"معادلهٔ {MATHS[way]}" for way in WAYS[1:]), *(f"گام {PERSIAN[way]}" for way in WAYS)]
    counts = {name: [*_tally(marks(steps).values())[1:], *_tally(step.how for step in steps)]
              for name, steps in found.items() if steps}
    counts["**همه**"] = [sum(column) for column in zip(*counts.values(), strict=True)]
    return Table(header, [[name, *map(persian, row)] for name, row in counts.items()], "lccccccc")


def _tally(ways: Iterable[str]) -> list[int]:
    every = list(ways)
    return [every.count(way) for way in WAYS]


def _parameters(chapters: Sequence[Chapter]) -> str:
    rows = [row for chapter in chapters for row in _parameter_rows(chapter)]
    if not rows:
        return "هیچ فصلی پارامتری ندارد."
    changed = sum(chapter.values[parameter.name] != parameter.default
                  for chapter in chapters for parameter in chapter.parameters)
    lead = (f"مقدار پیش‌فرض هر پارامتر، مقدار صورت تمرین یا انتخاب نویسنده است؛ در این اجرا {persian(changed)} پارامتر "
            "مقداری جز پیش‌فرض دارد که در ستون آخر @tbl-parameters نشان‌دار شده است." if changed else
            "همهٔ پارامترهای @tbl-parameters مقدار پیش‌فرض خود را دارند.")
    table = Table(["فصل", "پارامتر", "پیش‌فرض", "در این اجرا", "متفاوت"], rows, "lllll")
    return lead + "\n\n" + captioned(table, "tbl-parameters", "پارامترهای فصل‌ها")


def _parameter_rows(chapter: Chapter) -> Iterable[list[str]]:
    values = chapter.values
    for parameter in chapter.parameters:
        value = values[parameter.name]
        mark = "●" if value != parameter.default else ""
        yield [f"`{chapter.name}`", f"`{parameter.name}`", _shown(parameter.default), _shown(value), mark]


def _shown(value: object) -> str:
    return f"`{value}`" if isinstance(value, str) and value else "—" if value == "" else persian(value)


def _environment() -> Table:
    rows = [["Python", f"`{platform.python_version()}`"],
            ["سامانه", f"`{platform.system()} {platform.machine()}`"],
            ["دستگاه", "CUDA" if cuda_present() else "پردازندهٔ مرکزی (CPU)"]]
    rows += [[name, f"`{installed}`"] for name in PACKAGES if (installed := version(name))]
    return Table(["ابزار", "نسخه"], rows, "ll")


def _record(chapters: Sequence[Chapter]) -> Table:
    rows = []
    for chapter in chapters:
        record = metadata(chapter.executed)
        rows.append([f"`{chapter.name}`", _day(record.get("finished", "")), f"`{record.get('key', '')[:12]}`"])
    return Table(["فصل", "روز اجرا", "چکیدهٔ ورودی‌ها"], rows, "llr")


def _day(iso: str) -> str:
    return jalali(date.fromisoformat(iso)) if iso else ""

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
