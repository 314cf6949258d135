"""The command line: ``gozaresh build DIR`` does everything, the other commands one step each."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from gozaresh.common.environment import check_epoch
from gozaresh.common.errors import (
    KEPT,
    LONGEST,
    BundleError,
    GozareshError,
    SettingsError,
    from_os_error,
    one_line,
    quoted,
)
from gozaresh.common.progress import say

if TYPE_CHECKING:  # each command imports what it needs, so that "why" answers at once
    from gozaresh.report import Report
    from gozaresh.settings import Project


UNFORESEEN = 70  # exit status of an error that the program did not foresee, as sysexits.h has it
TRACE = "GOZARESH_TRACE"  # a variable; where it is set, the trace of every error is printed too


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; an error is one line on standard error, with the source's line below it, and exit status 1.

    ``diff`` has the statuses of diff(1): 0 equal, 1 different, 2 an error. An error that is not foreseen is one line
    as well, and status 70. ``GOZARESH_TRACE=1`` prints where in the program an error was raised.
    """
    options = _parser().parse_args(arguments)
    with _interrupts():
        try:
            check_epoch()
            return options.run(options) or 0
        except BrokenPipeError:  # whoever reads has enough, as head does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return int(options.failed)
        except KeyboardInterrupt:
            return _fail(GozareshError(f"stopped; {KEPT}, and the same command goes on from there"), options)
        except Exception as error:
            return _failed(error, options)


def _failed(error: Exception, options: argparse.Namespace) -> int:
    """The line of an error, and its exit status."""
    if os.environ.get(TRACE):
        traceback.print_exception(error)
    if isinstance(error, GozareshError):
        return _fail(error, options)
    if isinstance(error, OSError) and error.errno is not None:
        return _fail(from_os_error(error, _folder(options).resolve()), options)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _fail(GozareshError(f"the package {error.name.partition('.')[0]!r} is not installed in {sys.prefix}: "
                                   "remove that folder and set it up again"), options)
    if isinstance(error, MemoryError):
        return _fail(GozareshError(f"the memory is used up; {KEPT}"), options)
    told = f"not foreseen: {type(error).__name__}: {one_line(error, LONGEST)} (a fault of this program; {TRACE}=1 shows"
    _fail(GozareshError(f"{told} where)"), options)
    return UNFORESEEN


def _folder(options: argparse.Namespace) -> Path:
    """The report's folder, or that of a document by itself."""
    path = Path(getattr(options, "folder", "."))
    return path.parent if _is_file(path) else path


def _is_file(path: Path) -> bool:
    """Test if there is such a file; a name that no file can have names none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


@contextmanager
def _interrupts() -> Iterator[None]:
    """Let Ctrl-C stop the command, and a second one stop it at once, whatever it is doing then."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(
            signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def first(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, second)
        raise KeyboardInterrupt

    def second(number: int, frame: FrameType | None) -> None:
        os.write(2, f"error: stopped at once; {KEPT}\n".encode())
        os._exit(128 + signal.SIGINT)

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is first:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _fail(error: GozareshError, options: argparse.Namespace) -> int:
    for line in quoted(error, _folder(options)):
        print(line.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)
    status: int = options.failed
    return status


class _Parser(argparse.ArgumentParser):
    """Says in one line which argument is wrong, and which command is meant."""

    def error(self, message: str) -> NoReturn:
        """Print the line, and end with status 2."""
        bad = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if bad:
            close = get_close_matches(bad[1], re.findall(r"\w+", bad[2]), n=1)
            message = f"no command {bad[1]!r}; " + (f"nearest: {close[0]}" if close else f"valid: {bad[2]}")
        self.exit(2, f"error: {message}; '{self.prog} --help' tells more\n")


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("gozaresh")
    except PackageNotFoundError:
        return "(not installed as a package)"


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        parser.exit(0, f"gozaresh {_version()}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="gozaresh", description="Literate reports in Persian that can be trusted.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
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


def _add_questions(commands: argparse._SubParsersAction[_Parser]) -> None:
    """The commands that ask about builds that are done."""
    text = "where a result of the last build comes from: chapter, line, code, parameters, data, seed, device, date"
    asked = commands.add_parser("why", help=text, description=text)
    asked.add_argument("label", help="a label, as fig-vae-history, or a place, as notebooks/04_vae.py:LINE")
    asked.add_argument("folder", nargs="?", default=".", help="the report's folder (default: this one)")
    asked.set_defaults(run=_why, failed=1)
    text = "which parameters, numbers, table cells and figures of two reports differ; status 0: none, 1: some, 2: error"
    two = commands.add_parser("diff", help=text, description=text)
    two.add_argument("old", help="a hand-in (.zip), a report's folder, or a folder of executed notebooks")
    two.add_argument("new", help="the other one")
    two.set_defaults(run=_diff, failed=2)


def _command(commands: argparse._SubParsersAction[_Parser], name: str,
             run: Callable[[argparse.Namespace], None], text: str, *, folder: bool = True) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    if folder:
        what = "the report's folder (default: this one)"
        if run in (_build, _check):
            what += ", or a notebook, a Markdown file or a script by itself"
        command.add_argument("folder", nargs="?", default=".", help=what)
    if run in (_build, _check):
        command.add_argument("--no-execute", action="store_true",
                             help="run nothing: the outputs that notebooks keep are set, and the record says so")
    command.add_argument("--profile", default="", help="a profile of report.toml")
    command.add_argument("--data", default="", help="value of the parameter 'data': a folder or a .zip")
    command.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="override single parameters")
    if run is _build:
        command.add_argument("--again", action="store_true",
                             help="with the profile, the data and the parameters of the last build")
    if run in (_build, _execute):
        command.add_argument("--why", action="store_true", help="say of each chapter that runs which input changed")
    command.set_defaults(run=run, failed=1)
    return command


def _report(options: argparse.Namespace) -> Report:
    from gozaresh.settings import load_project

    path = Path(getattr(options, "folder", "."))
    if not _is_file(path):
        return _chosen(options, load_project(path))
    from gozaresh.report import open_document

    return _chosen(options, open_document(path, execute=not getattr(options, "no_execute", False)))


def _chosen(options: argparse.Namespace, project: Project) -> Report:
    from gozaresh.report import choose
    from gozaresh.source.parameters import parse_assignments

    words = [word for group in options.set for word in group.split()]
    given = parse_assignments(words)
    if options.data:
        given["data"] = str(Path(options.data).absolute()) if Path(options.data).exists() else options.data
    report = choose(project, options.profile, given, execute=not getattr(options, "no_execute", False),
                    writes=options.run is not _check)
    return replace(report, why=getattr(options, "why", False))


def _choice(options: argparse.Namespace) -> tuple[str, ...]:
    data = str(Path(options.data).absolute()) if options.data and Path(options.data).exists() else options.data
    folder = Path(getattr(options, "folder", "."))
    document = folder.name if _is_file(folder) else ""
    return (f"profile {options.profile}", f"data {data}", f"document {document}",
            f"kept {getattr(options, 'no_execute', False)}",
            *(word for group in options.set for word in group.split()))


def _without_choice(options: argparse.Namespace) -> argparse.Namespace:
    return argparse.Namespace(**{**vars(options), "profile": "", "data": "", "set": []})


def _told(options: argparse.Namespace, choice: tuple[str, ...]) -> str:
    """A choice in words."""
    usual = _choice(_without_choice(options))
    return ", ".join(word for word in choice if word not in usual) or "the default profile, no parameters"


def _take(options: argparse.Namespace, choice: tuple[str, ...]) -> None:
    """Take profile, data and parameters of an earlier build, and say so."""
    if _choice(options) != _choice(_without_choice(options)):
        raise SettingsError("--again takes the choice of the last build; leave it out, or the choice")
    if choice:
        options.profile, options.data = choice[0].removeprefix("profile "), choice[1].removeprefix("data ")
        options.set = list(choice[len(_choice(_without_choice(options))):])
    say(f"as in the last build: {_told(options, choice)}")


def _build(options: argparse.Namespace) -> None:
    from gozaresh import uptodate

    if options.again:
        _take(options, uptodate.last_choice(Path(options.folder).resolve()))
    choice = _choice(options)
    if uptodate.is_up_to_date(_folder(options).resolve(), choice):
        say("build/report.pdf stands: nothing that it was made from has changed since it was proven")
        return
    from gozaresh import build

    build.build_report(replace(_report(options), choice=choice))


def _watch(options: argparse.Namespace) -> None:

    from gozaresh.watch import watch

    watch(Path(options.folder), lambda project: replace(_chosen(options, project), choice=_choice(options)))


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
    from gozaresh.bundle import bundle, standing_build

    root = Path(".").resolve()
    last = standing_build(root)
    given = _choice(options)
    if given == _choice(_without_choice(options)):
        _take(options, last.choice)
    elif given != last.choice:
        raise BundleError(f"build/report.pdf was built with {_told(options, last.choice)}, and not with what is asked "
                          "for now: build it again")
    bundle(_report(options), last, options.lastname, options.student)


def _why(options: argparse.Namespace) -> None:
    from gozaresh.provenance.record import why

    for line in why(Path(options.folder), options.label):
        print(line)


def _diff(options: argparse.Namespace) -> int:
    from gozaresh.provenance.diff import differences

    if not (options.old and options.new):
        raise SettingsError("diff: two reports are compared: make diff A=old.zip B=.")
    found = differences(Path(options.old), Path(options.new))
    for line in found:
        print(line)
    if not found:
        say("no difference")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
