"""The examples of README, the Makefile's head and --help: each can be typed as it stands."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from dgm.vae import __main__ as vae
from gozaresh import cli
from tests.conftest import ROOT, in_process

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
HEAD = "".join(line.lstrip("# ") + "\n" for line in MAKEFILE.partition("\n\n")[0].split("\n"))
CODE = re.findall(r"`([^`\n]+)`", README) + re.findall(r"```sh\n(.*?)```", README, re.S)
LINES = [line for text in CODE for line in text.split("\n")] + [
    part for line in HEAD.split("\n") for part in re.split(r" {3,}| -> | \(", line)]
CHAPTERS = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "notebooks").glob("*.py")))


def commands(program: str) -> list[list[str]]:
    """The words of each example that runs a program, but for those with a part left out («…»)."""
    plain = [re.sub(r"\s+#.*", "", line).strip() for line in LINES if "…" not in line]
    return [shlex.split(line.removeprefix(".venv/bin/"))[1:] for line in dict.fromkeys(plain)
            if line.removeprefix(".venv/bin/").startswith(f"{program} ")]


def helps() -> str:
    """What --help says of the program and of every command."""
    names = re.findall(r"^    (\w+) ", in_process("--help", cwd=ROOT).out, re.M)
    assert {"build", "why", "diff", "zip"} <= set(names)
    return "".join(in_process(name, "--help", cwd=ROOT).out for name in names)


@pytest.mark.parametrize("words", commands("make"), ids=" ".join)
def test_make_knows_the_target_and_takes_the_variables(words: list[str]) -> None:
    given = [word for word in words if "=" in word]
    taken = re.search(r"^GIVEN := (.*)", MAKEFILE, re.M)
    assert taken
    assert {word.partition("=")[0] for word in given} <= {*taken[1].split(), "WORKERS"}
    done = subprocess.run(["make", "--dry-run", "--old-file=.venv/ready", *words], cwd=ROOT, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", commands("gozaresh"), ids=" ".join)
def test_the_program_takes_the_command(words: list[str]) -> None:
    known = in_process(words[0], "--help", cwd=ROOT)  # a command may be named alone
    assert known.status == 0, known.err
    assert len(words) == 1 or cli._parser().parse_args(words).run


def test_the_commands_of_the_vae_have_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    examples = re.findall(r"`[^`]*(?:dgm\.vae|…) (\w+) ([^`]*--[^`]*)`", README)
    assert {"sample", "reconstruct", "smile", "record", "distributed"} <= {name for name, _ in examples}
    for name, rest in examples:
        with pytest.raises(SystemExit) as ended:
            vae.main([{"distributed": "record"}.get(name, name), "--help"])  # the two take the same options
        said = capsys.readouterr().out
        assert ended.value.code == 0
        assert [option for option in re.findall(r"--[\w-]+", rest) if option not in said] == [], name


def test_every_label_and_place_that_is_named_exists() -> None:
    text = " ".join([README.partition("## Writing a chapter")[0], HEAD, helps()])
    labels = re.findall(r"\b(?:fig|tbl|eq|lst|sec)-[\w-]+", text)
    assert labels
    assert [name for name in labels if not re.search(rf"(?:label: |\{{#){name}\b", CHAPTERS)] == []
    places = re.findall(r"(notebooks/\w+\.py)(?::(\d+))?", text)
    assert places
    for file, line in places:
        assert int(line or 1) <= len((ROOT / file).read_text(encoding="utf-8").split("\n")), file


def test_the_chapter_of_readme_builds_when_it_is_copied(tmp_path: Path) -> None:
    section = README.partition("## Writing a chapter")[2]
    for name, opening in (("chapter.py", "````python\n"), ("report.toml", "```toml\n")):
        text = section.partition(opening)[2].partition("\n```")[0]
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    shutil.copy(ROOT / "report" / "references.bib", tmp_path)
    done = in_process("build", ".", cwd=tmp_path)
    assert done.status == 0, done.err
    assert (tmp_path / "build" / "report.pdf").is_file()
    assert in_process("why", "fig-loss", cwd=tmp_path).status == 0


HARMFUL = ["`touch made`", "$(touch made)", "x;touch made", "x\ntouch made", "x' ; touch made ; '",
           '" ; touch made ; "', "x|touch made", "x&&touch made"]


@pytest.mark.parametrize("value", HARMFUL)
@pytest.mark.parametrize("target", ["report", "zip", "why"])
def test_what_is_given_to_make_is_never_run(tmp_path: Path, target: str, value: str) -> None:
    """The recipe is run by a shell, with a program that only writes down what it was given."""
    (tmp_path / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.toml").write_text("chapters = []\n", encoding="utf-8")
    for name in ("python", "gozaresh"):
        program = tmp_path / ".venv" / "bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text('#!/bin/sh\nprintf "%s\\0" "$@" >> told\n', encoding="utf-8")
        program.chmod(0o755)
    names = ("P", "LASTNAME", "STUDENT", "LABEL", "DATA")
    for text in (value, value.replace("$", "$$")):
        subprocess.run(["make", "--old-file=.venv/ready", target, *(f"{name}={text}" for name in names)], cwd=tmp_path,
                       capture_output=True, check=False, timeout=60)
    assert not (tmp_path / "made").exists()
    assert value in (tmp_path / "told").read_text(encoding="utf-8")
