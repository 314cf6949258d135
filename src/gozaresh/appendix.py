"""The appendix that every report gets: profile, parameters, environment and the record of the run."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version

from gozaresh.author import Table
from gozaresh.cache import metadata
from gozaresh.checks import MATHS, PERSIAN, WAYS, Check
from gozaresh.device import cuda_present
from gozaresh.ledger import collect, marks
from gozaresh.origins import Provenance
from gozaresh.persian import jalali, persian
from gozaresh.provenance import Chapter
from gozaresh.resultstable import captioned, results

PACKAGES = ("jupytext", "papermill", "nbconvert", "pypandoc_binary", "typst", "pikepdf", "matplotlib", "numpy",
            "sympy", "torch", "safetensors", "pillow", "graphviz", "graphviz-pure")


def appendix(chapters: Sequence[Chapter], provenance: Provenance) -> str:
    """The appendix as Markdown."""
    profile = provenance.profile
    return "\n\n".join([
        "# پارامترها و سند اجرا {#sec-run-record}",
        f"این گزارش با نمایهٔ `{profile}` ساخته شده است. "
        "هر عددی که نتیجهٔ محاسبه است در همین اجرا حساب شده یا از سندی آمده که متن نام برده است، "
        "و با دست نوشته نشده است.",
        "## پارامترها {#sec-parameters}", _parameters(chapters),
        *_ledger(chapters),
        "## محیط اجرا {#sec-environment}",
        "نسخهٔ ابزارهایی که گزارش با آن‌ها اجرا و حروف‌چینی شده، در @tbl-environment آمده است.",
        captioned(_environment(), "tbl-environment", "محیطی که گزارش در آن اجرا شده است"),
        "## سند اجرا {#sec-record}",
        "در @tbl-record برای هر فصل روز اجرا و چکیدهٔ ورودی‌های آن (متن برنامه، پارامترها، پیمانه‌ها، "
        "داده و محیط) آمده است؛ اگر هیچ‌یک از این ورودی‌ها تغییر نکند، فصل دوباره اجرا نمی‌شود.",
        captioned(_record(chapters), "tbl-record", "سند اجرای فصل‌ها"),
        *results(provenance),
    ])


def _ledger(chapters: Sequence[Chapter]) -> list[str]:
    """How the equations were checked: counts by chapter, and what is only stated and why; empty without a ledger."""
    found = {chapter.name: collect(chapter.executed) for chapter in chapters}
    if not any(found.values()):
        return []
    stated = [[f"@{check.label}", check.claim] for steps in found.values() for check in steps if check.how == "stated"]
    return [
        "## دفتر بررسی معادله‌ها {#sec-ledger}",
        f"کنار شمارهٔ هر معادله نشانی هست که می‌گوید آن معادله چگونه بررسی شده است: {MATHS['proved']} یعنی هر گام آن "
        "اثبات نمادین دارد؛ "
        f"{MATHS['tested']} یعنی دست‌کم یک گام تنها روی مدل‌های تصادفی آزموده شده است؛ "
        f"{MATHS['stated']} یعنی دست‌کم یک گام تعریف، فرض یا قضیه‌ای است که از منبع آمده و در اینجا تنها بیان شده است. "
        "نشان هر معادله از سست‌ترین گام آن می‌آید. @tbl-ledger شمار معادله‌ها و گام‌های هر فصل را می‌آورد و "
        "@tbl-stated هرچه را تنها بیان شده است، با دلیل آن.",
        captioned(_counts(found), "tbl-ledger", "شمار معادله‌ها و گام‌ها به تفکیک شیوهٔ بررسی"),
        captioned(Table(["معادله", "آنچه بیان شده و چرا"], stated, "ll"), "tbl-stated", "گام‌هایی که تنها بیان شده‌اند"),
    ]


def _counts(found: Mapping[str, Sequence[Check]]) -> Table:
    header = ["فصل", *(f"معادلهٔ {MATHS[way]}" for way in WAYS), *(f"گام {PERSIAN[way]}" for way in WAYS)]
    counts = {f"`{name}`": [*_tally(marks(steps).values()), *_tally(step.how for step in steps)]
              for name, steps in found.items() if steps}
    counts["**همه**"] = [sum(column) for column in zip(*counts.values(), strict=True)]
    return Table(header, [[name, *map(persian, row)] for name, row in counts.items()], "lcccccc")


def _tally(ways: Iterable[str]) -> list[int]:
    every = list(ways)
    return [every.count(way) for way in WAYS]


def _parameters(chapters: Sequence[Chapter]) -> str:
    rows = [row for chapter in chapters for row in _parameter_rows(chapter)]
    if not rows:
        return "هیچ فصلی پارامتری ندارد."
    changed = sum(row[-1] == "✓" for row in rows)
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
    rows += [[name, f"`{installed}`"] for name in PACKAGES if (installed := _version(name))]
    return Table(["ابزار", "نسخه"], rows, "ll")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _record(chapters: Sequence[Chapter]) -> Table:
    rows = []
    for chapter in chapters:
        record = metadata(chapter.executed)
        rows.append([f"`{chapter.name}`", _day(record.get("finished", "")), f"`{record.get('key', '')[:12]}`"])
    return Table(["فصل", "روز اجرا", "چکیدهٔ ورودی‌ها"], rows, "llr")


def _day(iso: str) -> str:
    return jalali(date.fromisoformat(iso)) if iso else ""
