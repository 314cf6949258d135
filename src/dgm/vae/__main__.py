"""Command line of the VAE: ``python -m dgm.vae COMMAND --help``."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from dgm.errors import DgmError, nearest

STOPPED = 130  # exit status after Ctrl-C
# the function that is the command, and what it does
COMMANDS = {
    "sample": ("analysis.apply:sample", "new faces from a recorded model's learned prior"),
    "reconstruct": ("analysis.apply:reconstruct", "faces and their reconstructions by a recorded model"),
    "smile": ("analysis.apply:smile", "faces that smile more and more, by a recorded model"),
    "record": ("training.record:main", "train in resumable pieces and keep the training as a record"),
    "distributed": ("training.distributed:main", "the same on several processes; start it with torchrun -m dgm.vae"),
    "sweep": ("experiments.sweep:main", "FactorVAEs over beta, gamma and seeds, side by side"),
    "study": ("experiments.study:main", "the report's own sweeps, and the record of them"),
    "ablation": ("experiments.ablation:main", "single choices of the training changed one at a time"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 1 after an error, which is one line, and 130 after Ctrl-C."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help"):
        print("usage: python -m dgm.vae COMMAND …\n")
        print("\n".join(f"  {one:12} {does}" for one, (_, does) in COMMANDS.items()))
        return 0
    try:
        if name not in COMMANDS:
            raise DgmError(f"command {name!r} is not known; {nearest(name, COMMANDS)}")
        module, _, function = COMMANDS[name][0].partition(":")
        status: int = getattr(importlib.import_module(f"dgm.vae.{module}"), function)(rest)
        return status
    except DgmError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stopped:
        how = str(stopped).partition(", go on")[0] or "stopped; what is done is kept"
        print(f"{name}: {how}, go on with the same command", file=sys.stderr)
        return STOPPED


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    if status == STOPPED:  # runs of a sweep that are still at work see it, save their state and end too
        os._exit(status)
    sys.exit(status)
