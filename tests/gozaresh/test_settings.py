import hashlib
from pathlib import Path

import pytest

from gozaresh.common.errors import SettingsError
from gozaresh.report import choose
from gozaresh.settings import load_project

GOOD = 'chapters = ["a.py"]\n[cover]\ntitle = "عنوان"\n[profiles.quick]\nepochs = 3\n'


def project(folder: Path, text: str):
    (folder / "report.toml").write_text(text, encoding="utf-8")
    (folder / "a.py").write_text("# %% [markdown]\n# سلام\n", encoding="utf-8")
    return load_project(folder)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    found = project(tmp_path, GOOD)
    assert found.settings.cover.title == "عنوان"
    assert found.profile("")[1] == {"epochs": 3}


@pytest.mark.parametrize(("text", "message"), [
    (GOOD + "x = = 3\n", r"report\.toml:6: not valid TOML"),
    (GOOD.replace("chapters", "chapter"), "unknown key 'chapter'; nearest: chapters"),
    (GOOD.replace("title", "titel"), "unknown key 'cover.titel'; nearest: title"),
    ('[cover]\ntitle = "x"\n', "'chapters' is missing"),
    (GOOD.replace('["a.py"]', "[]"), "chapters"),
    (GOOD.replace('"عنوان"', "3"), "cover.title = 3"),
])
def test_a_bad_file_is_one_line_that_names_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        project(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert "report.toml" in str(caught.value)


def test_an_unknown_profile_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no profile 'quik'; nearest: quick"):
        project(tmp_path, GOOD).profile("quik")


def test_a_missing_chapter_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no chapter 'aa\.py'; nearest: a\.py"):
        _ = project(tmp_path, GOOD.replace("a.py", "aa.py")).chapters


def test_no_report_at_all(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no report\.toml"):
        load_project(tmp_path)


def test_known_data_have_a_profile_of_their_own(tmp_path: Path) -> None:
    for name in ("known.zip", "other.zip"):
        (tmp_path / name).write_bytes(name.encode())
    digest = hashlib.sha256(b"known.zip").hexdigest()
    found = project(tmp_path, f'{GOOD}[profiles.full]\nepochs = 5\n[data_profiles]\n{digest} = "full"\n')
    (tmp_path / "a.py").write_text('# %% tags=["parameters"]\ndata: "Path" = ""\nepochs: int = 9\n', encoding="utf-8")
    for given, expected in (({"data": "known.zip"}, "full"), ({"data": "other.zip"}, "quick"), ({}, "quick"),
                            ({"data": "known.zip", "epochs": "2"}, "quick")):
        assert choose(found, "", given).profile == expected
    assert choose(found, "quick", {"data": "known.zip"}).profile == "quick"
