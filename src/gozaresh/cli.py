"""The command line: ``gozaresh build DIR`` does everything, the other commands one step each."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from gozaresh import build
from gozaresh.errors import GozareshError
from gozaresh.parameters import parse_assignments
from gozaresh.progress import say
from gozaresh.settings import load_project


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; an error is one line on standard error and exit status 1."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = options.run
    try:
        run(options)
    except GozareshError as error:
        return _fail(str(error))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return _fail(f"{error.filename or 'disk'}: the disk is full; what was already computed is kept in build/")
    except KeyboardInterrupt:
        return _fail("stopped; what was already computed is kept in build/")
    return 0


def _fail(text: str) -> int:
    for line in text.splitlines():
        print(f"error: {line}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gozaresh", description="Literate reports in Persian that can be trusted.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _command(commands, "build", _build, "everything: run the chapters, set and proofread the PDF")
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
    return parser


def _command(commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str,
             run: Callable[[argparse.Namespace], None], text: str, *, folder: bool = True) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    if folder:
        command.add_argument("folder", nargs="?", default=".", help="the report's folder (default: this one)")
    command.add_argument("--profile", default="", help="a profile of report.toml")
    command.add_argument("--data", default="", help="value of the parameter 'data': a folder or a .zip")
    command.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="override single parameters")
    command.set_defaults(run=run)
    return command


def _report(options: argparse.Namespace) -> build.Report:
    project = load_project(Path(getattr(options, "folder", ".")))
    words = [word for group in options.set for word in group.split()]
    given = parse_assignments(words)
    if options.data:
        given["data"] = str(Path(options.data).absolute()) if Path(options.data).exists() else options.data
    return build.choose(project, options.profile, given)


def _build(options: argparse.Namespace) -> None:
    build.build_report(_report(options))


def _check(options: argparse.Namespace) -> None:
    report = _report(options)
    build.check(report)
    for line in build.advice(report):
        say(line)
    say(f"{len(report.cells)} chapters keep the conventions")


def _source(options: argparse.Namespace) -> None:
    report = _report(options)
    build.check(report)
    build.make_notebook(report, build.chapter(report, options.chapter))


def _execute(options: argparse.Namespace) -> None:
    report = _report(options)
    build.execute_chapter(report, build.chapter(report, options.chapter))


def _export(options: argparse.Namespace) -> None:
    report = _report(options)
    build.export_chapter(report, build.chapter(report, options.chapter))


def _typeset(options: argparse.Namespace) -> None:
    build.typeset_report(_report(options))


def _zip(options: argparse.Namespace) -> None:
    from gozaresh.bundle import bundle

    bundle(_report(options), options.lastname, options.student)


if __name__ == "__main__":
    sys.exit(main())
