"""The finished PDF is held against the rules of PDF/UA-1 (ISO 14289-1) and PDF/A-2a (ISO 19005-2) by a validator.

The validator is page, which passes the corpus of test files of veraPDF, the reference implementation.
"""

from __future__ import annotations

from pathlib import Path

import page
import pikepdf
import pytest

PROFILES = ["ua1", "2a"]


def broken(pdf: Path, profile: str) -> list[str]:
    return sorted({failure.rule_id for failure in page.validate_pdf(pdf, profile=profile).failures})


@pytest.mark.parametrize("profile", PROFILES)
def test_the_small_report_keeps_all_rules(built_pendulum: Path, profile: str) -> None:
    pdf = built_pendulum / "build" / "report.pdf"
    report = page.validate_pdf(pdf, profile=profile)
    assert broken(pdf, profile) == []
    assert report.is_compliant
    assert report.rules.total > 100


def test_the_validator_sees_what_is_wrong(built_pendulum: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.pdf"
    with pikepdf.open(built_pendulum / "build" / "report.pdf") as pdf:
        del pdf.Root["/Lang"]
        del pdf.Root.ViewerPreferences["/DisplayDocTitle"]
        pdf.save(damaged)
    assert broken(damaged, "ua1")
