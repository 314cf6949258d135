"""The command line: ``gozaresh build DIR`` does everything, the other commands one step each."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gozaresh.common.errors import GozareshError, quoted
from gozaresh.common.progress import say

if TYPE_CHECKING:  # each command imports what it needs, so that "why" answers at once
    from gozaresh.report import Report
    from gozaresh.settings import Project


FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota of the disk is used up",
        errno.EFBIG: "no file may become so large here (see 'ulimit -f')"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; an error is one line on standard error, with the source's line below it, and exit status 1.

    ``diff`` has the statuses of diff(1): 0 equal, 1 different, 2 an error.
    """
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int | None] = options.run
    try:
        return _saved(run, options)
    except GozareshError as error:
        return _fail(str(error), options)
    except BrokenPipeError:  # whoever reads has enough, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(options.failed)
    except OSError as error:
        if error.errno not in FULL:
            raise
        where = _shown(error.filename, options) if error.filename else "disk"
        return _fail(f"{where}: {FULL[error.errno]}; what was already computed is kept in build/", options)
    except KeyboardInterrupt:
        return _fail("stopped; what was computed is kept in build/, and the same command goes on from there", options)


def _shown(path: str, options: argparse.Namespace) -> str:
    """A file as seen from the report's folder."""
    folder = Path(getattr(options, "folder", ".")).resolve()
    return str(Path(path).relative_to(folder)) if Path(path).is_relative_to(folder) else path


def _saved(run: Callable[[argparse.Namespace], int | None], options: argparse.Namespace) -> int:
    """Run a command, and keep the pieces that it made, however it ends; its own error comes before that of keeping."""
    try:
        status = run(options) or 0
    except BaseException:
        with suppress(OSError):
            _save()
        raise
    _save()
    return status


def _save() -> None:
    if "gozaresh.common.memo" in sys.modules:
        sys.modules["gozaresh.common.memo"].save_all()


def _fail(text: str, options: argparse.Namespace) -> int:
    for line in quoted(text, Path(getattr(options, "folder", "."))):
        print(line, file=sys.stderr)
    status: int = options.failed
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gozaresh", description="Literate reports in Persian that can be trusted.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _command(commands, "build", _build, "everything: run the chapters, set and proofread the PDF")
    _command(commands, "watch", _watch, "everything, again after each save, until Ctrl-C")
    _command(commands, "check", _check, "the lints and the assignment's coverage, without running code")
    for name, run, text in (("source", _source, "step 1: percent script to notebook"),
                            ("execute", _execute, "step 2: run a notebook, or reuse its earlier run"),
                            ("export", _export, "step 3: executed notebook to Typst")):
        step = _command(commands, name, run, text, folder=False)
        step.add_argument("chapter", help="the chapter's name, as 04_vae")
    _command(commands, "typeset", _typeset, "steps 4 and 5: Typst to PDF, and proofreading", folder=False)
    bundle = _command(commands, "zip", _zip, "the hand-in, checked by unpacking it elsewhere", folder=False)
    bundle.add_argument("--lastname", required=True)
    bundle.add_argument("--student", required=True)
    _add_questions(commands)
    return parser


def _add_questions(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands that ask about builds that are done."""
    text = "where a result of the last build comes from: chapter, line, code, parameters, data, seed, device, date"
    asked = commands.add_parser("why", help=text, description=text)
    asked.add_argument("label", help="a label, as fig-loss, or a place, as notebooks/04_vae.py:143")
    asked.add_argument("folder", nargs="?", default=".", help="the report's folder (default: this one)")
    asked.set_defaults(run=_why, failed=1)
    text = "which parameters, numbers, table cells and figures of two reports differ; status 0: none, 1: some, 2: error"
    two = commands.add_parser("diff", help=text, description=text)
    two.add_argument("old", help="a hand-in (.zip), a report's folder, or a folder of executed notebooks")
    two.add_argument("new", help="the other one")
    two.set_defaults(run=_diff, failed=2)


def _command(commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str,
             run: Callable[[argparse.Namespace], None], text: str, *, folder: bool = True) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    if folder:
        command.add_argument("folder", nargs="?", default=".", help="the report's folder (default: this one)")
    command.add_argument("--profile", default="", help="a profile of report.toml")
    command.add_argument("--data", default="", help="value of the parameter 'data': a folder or a .zip")
    command.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="override single parameters")
    if run in (_build, _execute):
        command.add_argument("--why", action="store_true", help="say of each chapter that runs which input changed")
    command.set_defaults(run=run, failed=1)
    return command


def _report(options: argparse.Namespace) -> Report:
    from gozaresh.settings import load_project

    return _chosen(options, load_project(Path(getattr(options, "folder", "."))))


def _chosen(options: argparse.Namespace, project: Project) -> Report:
    from gozaresh.report import choose
    from gozaresh.source.parameters import parse_assignments

    words = [word for group in options.set for word in group.split()]
    given = parse_assignments(words)
    if options.data:
        given["data"] = str(Path(options.data).absolute()) if Path(options.data).exists() else options.data
    return replace(choose(project, options.profile, given), why=getattr(options, "why", False))


def _choice(options: argparse.Namespace) -> tuple[str, ...]:
    data = str(Path(options.data).absolute()) if options.data and Path(options.data).exists() else options.data
    return (f"profile {options.profile}", f"data {data}", *(word for group in options.set for word in group.split()))


def _build(options: argparse.Namespace) -> None:
    from gozaresh import uptodate
    from gozaresh.typeset.typeset import warm_up

    choice = _choice(options)
    if uptodate.is_up_to_date(Path(options.folder).resolve(), choice):
        say("build/report.pdf stands: nothing that it was made from has changed since it was proven")
        return
    warm_up(Path(options.folder).resolve())
    from gozaresh import build

    build.build_report(replace(_report(options), choice=choice))


def _watch(options: argparse.Namespace) -> None:
    from gozaresh.typeset.typeset import warm_up

    warm_up(Path(options.folder).resolve())
    from gozaresh.watch import watch

    watch(Path(options.folder), lambda project: _chosen(options, project))


def _check(options: argparse.Namespace) -> None:
    from gozaresh import build

    report = _report(options)
    build.check(report)
    for line in build.advice(report):
        say(line)
    say(f"{len(report.cells)} chapters keep the conventions")


def _source(options: argparse.Namespace) -> None:
    from gozaresh import build

    report = _report(options)
    build.check(report)
    build.make_notebook(report, build.chapter(report, options.chapter))


def _execute(options: argparse.Namespace) -> None:
    from gozaresh import build

    report = _report(options)
    build.execute_chapter(report, build.chapter(report, options.chapter))


def _export(options: argparse.Namespace) -> None:
    from gozaresh import build

    report = _report(options)
    build.export_chapter(report, build.chapter(report, options.chapter))


def _typeset(options: argparse.Namespace) -> None:
    from gozaresh import build

    build.typeset_report(_report(options))


def _zip(options: argparse.Namespace) -> None:
    from gozaresh.bundle import bundle

    bundle(_report(options), options.lastname, options.student)


def _why(options: argparse.Namespace) -> None:
    from gozaresh.provenance.record import why

    for line in why(Path(options.folder), options.label):
        print(line)


def _diff(options: argparse.Namespace) -> int:
    from gozaresh.common.errors import SettingsError
    from gozaresh.provenance.diff import differences

    if not (options.old and options.new):
        raise SettingsError("diff: two reports are compared: make diff A=old.zip B=.")
    found = differences(Path(options.old), Path(options.new))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
