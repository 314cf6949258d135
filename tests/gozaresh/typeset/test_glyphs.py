"""Signs and emojis are set in the order of their sentence; a character that no font has is named with its line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gozaresh.common.paths import THEME
from gozaresh.maths.symbols import DELIMITERS, SYMBOLS
from gozaresh.typeset.glyphs import missing_glyphs
from tests.conformance.chapters import Workshop

SIGNS = [*"→←⇒↔✓✔★☆☐☑•≤≥≠≈∈⊂∞√°±×©™№½²●○■▲♥⭐✅❌⏰🎉🔥📌ⓐⅣ℃", "⚠️", "❤️", "👩‍🔬", "👍🏽", "👨‍👩‍👧", "🇮🇷", "1️⃣",
         "#️⃣", "🤷‍♂️"]
WORDS = ["متن", "می‌شود", "«واژه»", "(پرانتز)", "۱۲٫۵", "VAE", "`code →`", "**پررنگ**", "$x^2$", "پایان."]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("glyphs"))


def test_every_sign_is_proved_between_persian_words_in_tables_and_in_code(workshop: Workshop) -> None:
    prose = "\n\n".join(f"نخست {sign} دوم {sign}{sign} سوم{sign}." for sign in SIGNS)
    table = "| ستون |\n|---|\n" + "\n".join(f"| آ {sign} ب |" for sign in SIGNS)
    code = "```\n" + "\n".join(f'print("{sign} سلام")' for sign in SIGNS) + "\n```"
    assert workshop.outcome(f"{prose}\n\n{table}\n\n{code}").lines == ()


@settings(max_examples=12, deadline=None)
@given(st.lists(st.lists(st.sampled_from([*SIGNS, *WORDS]), min_size=2, max_size=14).map(" ".join), min_size=1,
                max_size=6))
def test_sentences_with_signs_are_proved(workshop: Workshop, sentences: list[str]) -> None:
    assert workshop.outcome("\n\n".join(f"متن {sentence}" for sentence in sentences)).lines == ()


def test_what_no_font_has_is_named_with_its_code_point_and_line(workshop: Workshop) -> None:
    outcome = workshop.outcome("متن\n\nواژهٔ 深度 و 🎉.\n\n```\nᚠ\n```\n")
    assert outcome.lines == ("c.md:3: no font has «深» (U+6DF1), «度» (U+5EA6)", "c.md:6: no font has «ᚠ» (U+16A0)")


def test_the_fonts_have_every_sign_that_a_formula_can_name() -> None:
    named = {"symbols": "".join({*SYMBOLS.values(), *"".join(DELIMITERS.values())} - set('"\\'))}
    assert missing_glyphs(named, THEME / "fonts") == []
