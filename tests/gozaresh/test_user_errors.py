"""Whatever stands in a user's folder: one line that says what is wrong and where, soon, and nothing good is lost."""

from __future__ import annotations

import errno
import os
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from gozaresh import build, cli
from gozaresh.settings import Settings
from gozaresh.source.assignment import Assignment
from tests import faults
from tests.faults import ASSIGNMENT, DAMAGES, FILES, REFUSALS, SETTINGS, kept, refused, small_report, told, toml

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return small_report(tmp_path / "report")


def test_the_report_itself_is_good(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "check", str(report)).status == 0


# --- each setting, with values of every other type ---
TYPES = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "array": list, "object": dict,
         "null": type(None)}
VALUES = st.recursive(
    st.one_of(st.text(max_size=12), st.integers(), st.floats(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=2)),
    max_leaves=4)


def kinds(schema: dict[str, Any], whole: dict[str, Any]) -> set[str]:
    """The JSON types that a schema admits."""
    if "$ref" in schema:
        return kinds(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
    if "anyOf" in schema:
        return {kind for one in schema["anyOf"] for kind in kinds(one, whole)}
    return {schema["type"]}


def paths(schema: dict[str, Any], whole: dict[str, Any], at: tuple[str, ...] = ()) -> dict[tuple[str, ...], set[str]]:
    """Each key of a schema by its path, with the types that it admits."""
    found: dict[tuple[str, ...], set[str]] = {}
    for name, one in schema.get("properties", {}).items():
        inner = whole["$defs"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        found |= {(*at, name): kinds(inner, whole), **paths(inner, whole, (*at, name))}
    return found


def schema_of(model: type[BaseModel]) -> dict[tuple[str, ...], set[str]]:
    whole = model.model_json_schema()
    return paths(whole, whole)


def is_one_of(value: Any, admitted: set[str]) -> bool:
    return any(isinstance(value, TYPES[kind]) and (isinstance(value, bool) <= (kind == "boolean")) for kind in admitted)


KEYS = schema_of(Settings)
QUESTION = {path[1:]: admitted for path, admitted in paths(
    {"properties": {"q": {"$ref": "#/$defs/_Question"}}}, Assignment.model_json_schema()).items() if path[1:]}


def changed(data: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    new = deepcopy(data)
    inner = new
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
    inner[path[-1]] = value
    return new


def test_every_setting_is_tried() -> None:
    assert {("chapters",), ("cover", "title"), ("bundle", "include"), ("execute", "timeout")} <= set(KEYS)
    assert set(QUESTION) == {("id",), ("points",), ("answers",), ("bonus",)}


@FEW
@given(path=st.sampled_from(sorted(KEYS)), value=VALUES)
def test_a_setting_of_another_type_is_refused_at_its_line(
        report: Path, capsys: pytest.CaptureFixture[str], path: tuple[str, ...], value: Any) -> None:
    file = report / "report.toml"
    file.write_text(toml(changed(SETTINGS, path, value)), encoding="utf-8")
    before = kept(report)
    done = told(capsys, "check", str(report))
    assert kept(report) == before
    if not is_one_of(value, KEYS[path]):
        assert done.status == 1
    if done.status:
        assert done.errors
        assert all(re.match(r"error: \S+?(:\d+)?: ", line) for line in done.errors), done.errors


@FEW
@given(path=st.sampled_from(sorted(QUESTION)), value=VALUES)
def test_a_questions_key_of_another_type_is_refused_at_its_line(
        report: Path, capsys: pytest.CaptureFixture[str], path: tuple[str, ...], value: Any) -> None:
    question = changed(ASSIGNMENT["question"][0], path, value)
    (report / "assignment.toml").write_text(f"[[question]]\n{toml(question)}", encoding="utf-8")
    done = told(capsys, "check", str(report))
    if not is_one_of(value, QUESTION[path]):
        assert done.status == 1
    if done.status:
        assert done.errors
        assert all(re.match(r"error: assignment\.toml:\d+: ", line) for line in done.errors), done.errors


WRONG = {
    ("chapters",): (["c.py", "c.py"], ["c.py", "x/c.py"], ["c.txt"], ["appendix.py"], ["../c.py"], ["/c.py"], [""],
                    ["src"], ["C.PY"], ["x" * 300 + ".py"], ["a\0.py"]),
    ("modules",): (["/"], ["nope"], ["c.py"], [".."], [""]),
    ("theme",): ("src", "nope", "/usr"), ("assignment",): ("src", "nope.toml"),
    ("bibliography",): ({"foo": "refs.bib"}, {"latin": "nope.bib"}, {"latin": "src"}, {"latin": "/etc/passwd"}),
    ("cover", "title"): ("", "  ", "a\0b", "\u200b\u0007"), ("cover", "author"): ("\x1b[31m",),
    ("bundle", "name"): ("{foo}", "{}", "{0}", "{lastname.x}", "{", "}", "a/b", "", "..", "{lastname!r}", "a\\b"),
    ("bundle", "include"): (["nope"], ["/etc"], ["../x"]),
    ("default_profile",): ("quik",), ("varied_profile",): ("quik",), ("cuda_profile",): ("quik",),
    ("data_profiles",): ({"0" * 64: "nope"}, {"abc": "quick"}),
    ("macros",): ("\\newcommand{\\x}{", "}{"), ("execute", "timeout"): (0, -1, "60", float("nan"), float("inf")),
    ("profiles",): ({}, {"quick": {"nope": 3}}, {"quick": {"a": [1]}}), ("chapter",): (["c.py"],), ("cover", "x"): (1,),
}


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, values in WRONG.items() for value in values])
def test_a_value_that_means_nothing_is_refused_at_its_line(
        report: Path, capsys: pytest.CaptureFixture[str], path: tuple[str, ...], value: Any) -> None:
    for name in ("x/c.py", "c.txt", "appendix.py", "C.PY"):
        (report / name).parent.mkdir(exist_ok=True)
        (report / name).write_text(faults.CHAPTER, encoding="utf-8")
    data = changed(SETTINGS, path, value)
    if path == ("profiles",) and not value:
        data |= {"default_profile": "", "varied_profile": "", "data_profiles": {}}
    (report / "report.toml").write_text(toml(data), encoding="utf-8")
    before = kept(report)
    line = refused(capsys, "build", str(report))
    assert "report.toml:" in line
    assert kept(report) == before


@pytest.mark.parametrize("text", ["x = = 3", "a = [" * 3000, "[cover]\n[cover]", 'a = "', "a = 1\na = 2"])
def test_broken_toml_has_a_line(report: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (report / "report.toml").write_text(text, encoding="utf-8")
    assert "report.toml" in refused(capsys, "check", str(report))


# --- each file, with damage ---
@pytest.mark.parametrize(("name", "damage"), [(name, damage) for name in FILES for damage in DAMAGES
                                               if (name, damage) != ("refs.bib", "empty")])  # which is allowed
@pytest.mark.parametrize("command", ["check", "build"])
def test_a_damaged_file_is_one_line_that_names_it(
        report: Path, capsys: pytest.CaptureFixture[str], command: str, name: str, damage: str) -> None:
    DAMAGES[damage](report / name)
    before = kept(report)
    line = refused(capsys, command, str(report))
    assert name in line
    assert kept(report) == before


@FEW
@given(name=st.sampled_from(FILES), at=st.floats(0, 1))
def test_a_cut_file_is_checked_or_refused_in_one_line(
        report: Path, capsys: pytest.CaptureFixture[str], name: str, at: float) -> None:
    whole = (report / name).read_bytes()
    faults.cut(report / name, at)
    done = told(capsys, "check", str(report))
    (report / name).write_bytes(whole)
    assert done.status == 0 or done.errors


@FEW
@given(name=st.sampled_from(FILES), data=st.binary(max_size=300), at=st.floats(0, 1))
def test_bytes_put_into_a_file_are_read_or_refused(
        report: Path, capsys: pytest.CaptureFixture[str], name: str, data: bytes, at: float) -> None:
    whole = (report / name).read_bytes()
    cut = int(len(whole) * at)
    (report / name).write_bytes(whole[:cut] + data + whole[cut:])
    done = told(capsys, "check", str(report))
    (report / name).write_bytes(whole)
    assert done.status == 0 or done.errors


def test_a_byte_order_mark_is_no_part_of_a_file(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in FILES:
        (report / name).write_bytes(b"\xef\xbb\xbf" + (report / name).read_bytes())
    assert told(capsys, "check", str(report)).status == 0


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_may_not_be_read_is_named(report: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    with faults.refusing(report / name, errno.EACCES, reads=True):
        assert re.match(rf"error: {re.escape(name)}: cannot be read: permission denied", refused(
            capsys, "check", str(report)))


def test_a_check_writes_nothing(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(report.rglob("*"))
    with faults.refusing(report, errno.EROFS, reads=False):
        assert told(capsys, "check", str(report)).status == 0
    assert sorted(report.rglob("*")) == before


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_disk_that_refuses_is_one_line(report: Path, capsys: pytest.CaptureFixture[str], refusal: str) -> None:
    with faults.refusing(report, REFUSALS[refusal], reads=False):
        line = refused(capsys, "build", str(report))
    assert "build" in line
    assert kept(report)["build/report.pdf"] == b"the last good PDF"


@pytest.mark.parametrize("name", ["build", "figures"])
def test_a_file_in_the_place_of_a_folder_is_named(
        report: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    for path in sorted((report / name).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    if (report / name).exists():
        (report / name).rmdir()
    (report / name).write_text("mine", encoding="utf-8")
    assert f"{name}: is a file" in refused(capsys, "build", str(report))
    assert (report / name).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("arguments", [
    [], ["biuld"], ["build", "--nope"], ["zip"], ["why"], ["diff", "a"], ["check", "nowhere"], ["build", "/dev/null"],
    ["why", "fig-x", "nowhere"], ["diff", "nowhere", "/dev/null"], ["check", "a\nb"], ["check", "x" * 5000],
    ["build", "\udcff"], ["source", "nope"], ["typeset"], ["execute", "../x"],
])
def test_a_wrong_command_line_is_one_line(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        arguments: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    refused(capsys, *arguments)


@pytest.mark.parametrize("epoch", ["abc", "-1", "1e9", "99999999999999", "253402300800", "۱۲", " 5", "1.5"])
def test_a_moment_that_is_none_is_one_line(report: Path, capsys: pytest.CaptureFixture[str],
                                           monkeypatch: pytest.MonkeyPatch, epoch: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    assert "SOURCE_DATE_EPOCH" in refused(capsys, "check", str(report))


# --- what nobody foresaw ---
def test_an_unforeseen_error_is_one_line_with_a_status_of_its_own(
        report: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def faulty(*_: object) -> None:
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr(build, "check", faulty)
    assert cli.main(["check", str(report)]) == cli.UNFORESEEN
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert "ZeroDivisionError: by zero" in err
    monkeypatch.setenv(cli.TRACE, "1")
    cli.main(["check", str(report)])
    assert "in faulty" in capsys.readouterr().err


# --- data ---
@pytest.mark.parametrize(("special", "words"), [
    ("fifo", "is a FIFO; data are regular files"), ("device", "is a device; data are regular files"),
    ("loop", "levels of symbolic links"), ("huge", "more than 64 GiB of data"), ("nothing", "no such file"),
])
@pytest.mark.parametrize("inside", [True, False])
def test_data_that_are_no_files_are_named(report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                          special: str, words: str, inside: bool) -> None:
    with (report / "c.py").open("a", encoding="utf-8") as script:
        script.write('\n# %% tags=["parameters"]\ndata: "Path" = ""\n')
    path = tmp_path / "data" / "x"
    path.parent.mkdir()
    {"fifo": lambda: os.mkfifo(path), "device": lambda: path.symlink_to("/dev/zero"),
     "loop": lambda: path.symlink_to(path), "huge": lambda: (path.touch(), os.truncate(path, 2**37)),
     "nothing": lambda: path.symlink_to("nowhere")}[special]()
    line = refused(capsys, "build", str(report), "--data", str(path.parent if inside else path))
    assert words in line
    assert "c.py:" in line


def test_a_data_file_may_have_any_name(report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (report / "c.py").open("a", encoding="utf-8") as script:
        script.write('\n# %% tags=["parameters"]\ndata: "Path" = ""\n')
    os.mkdir(tmp_path / "data")
    with open(os.fsencode(tmp_path / "data") + b"/\xff\n'", "wb") as file:
        file.write(b"1")
    assert told(capsys, "check", str(report), "--data", str(tmp_path / "data")).status == 0
