import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gozaresh.export.bidi import LRI, PDI, RLI, isolate


def nodes(text: str) -> list[dict]:
    out: list[dict] = []
    for number, word in enumerate(text.split(" ")):
        out += [{"t": "Space"}] if number else []
        out += [{"t": "Str", "c": word}] if word else []
    return out


def flat(items: list[dict]) -> str:
    return "".join(item.get("c", " ") if item["t"] != "Code" else item["c"][1] for item in items)


words = st.lists(st.sampled_from([
    "متن", "می‌شود", "VAE", "(VAE", "VAE)", "C++", "-3.5", "50%", "«torch»", "۳٫۵", "β-VAE،", "f(x)", "1312.6114", "!",
    "−۳٫۵", "/", "★", "2024-01-05", "±", "۲", "#42"]), min_size=1, max_size=12).map(" ".join)


@given(words)
def test_the_text_stays_as_it_is(text: str) -> None:
    assert re.sub(f"[{LRI}{RLI}{PDI}]", "", flat(isolate(nodes(text)))) == text


@given(words)
def test_isolates_are_balanced_and_never_nested(text: str) -> None:
    depth = 0
    for char in flat(isolate(nodes(text))):
        depth += (char in (LRI, RLI)) - (char == PDI)
        assert depth in (0, 1)
    assert depth == 0


@given(words)
def test_twice_is_once(text: str) -> None:
    once = isolate(nodes(text))
    assert isolate(once) == once


@given(words)
def test_no_persian_letter_inside_a_run(text: str) -> None:
    for piece in flat(isolate(nodes(text))).split(LRI)[1:]:
        assert not any(char.isalpha() and "\u0600" <= char <= "\u06ff" for char in piece.split(PDI)[0])


@pytest.mark.parametrize(("text", "expected"), [
    ("زبان C++ است", "زبان [C++] است"),
    ("دقت -3.5 و 50% شد", "دقت [-3.5] و [50%] شد"),
    ("«FactorVAE، torch»", "«[FactorVAE]، [torch]»"),
    ("(VAE مدل)", "([VAE] مدل)"),
    ("روز 2024-01-05 و #42 و .NET و 2+3=5 بود", "روز [2024-01-05] و [#42] و [.NET] و [2+3=5] بود"),
    ("وزن ۱٫۲۵ ± ۰٫۰۳ است", "وزن [۱٫۲۵ ± ۰٫۰۳] است"), ("2 rows × 3 columns.", "[2 rows × 3 columns.]"),
    ("دما -۵°C بود", "دما [-۵°C] بود"),
    ("با epoch 10, lr = 5e-4 و", "با [epoch 10, lr = 5e-4] و"),
    ("تابع f(x) را", "تابع [f(x)] را"),
    ("مدل (Variational Auto-Encoder)", "مدل ([Variational Auto-Encoder])"),
    ("مدل VAE.", "مدل [VAE]."),
    ("مدل β-VAE است", "مدل [β-VAE] است"),
    ("از ۱۲ تا ۱۵", "از ۱۲ تا ۱۵"), ("بازهٔ ۱۰-۲۰ را", "بازهٔ ۱۰-۲۰ را"),
    ("برابر −۰٫۵، ۰٫۳", "برابر [−۰٫۵]، ۰٫۳"), ("(−۳)", "([−۳])"), ("خطای ۱٫۲×۱۰⁻⁶ شد", "خطای [۱٫۲×۱۰⁻⁶] شد"),
])
def test_runs_are_found(text: str, expected: str) -> None:
    assert flat(isolate(nodes(text))).replace(LRI, "[").replace(PDI, "]") == expected


def test_code_is_a_run_of_its_own() -> None:
    code = {"t": "Code", "c": [["", [], []], "a b"]}
    assert flat(isolate([{"t": "Str", "c": "تابع"}, code])) == f"تابع{LRI}a b{PDI}"


def test_mathematics_ends_a_run() -> None:
    maths = {"t": "Math", "c": [{"t": "InlineMath"}, "x"]}
    found = isolate([*nodes("VAE"), {"t": "Space"}, maths, {"t": "Space"}, *nodes("GAN")])
    assert found[0]["c"] == f"{LRI}VAE"  # a text without Persian is one run, formulas and all
    assert maths in found


def test_a_run_begins_in_one_element_and_ends_in_another() -> None:
    strong = {"t": "Strong", "c": [{"t": "Str", "c": "l"}]}
    assert isolate([*nodes("واژهٔ "), strong, *nodes("ist است")])[2:4] == [
        {"t": "Strong", "c": [{"t": "Str", "c": f"{LRI}l"}]}, {"t": "Str", "c": f"ist{PDI}"}]
