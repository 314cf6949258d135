"""Findings: what a document's style lacks or what stands in it in another form, each with its kind and its place.

A finding is advice, told in groups when a build is done; where ``strict`` is asked for, and where something of the
document would be missing from the page, it is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gozaresh.common.errors import Place, Problem

FIRST = 3  # places of a kind that are named


@dataclass(frozen=True, order=True)
class Finding:
    """One thing to be told; of a ``loss`` the page holds only a frame where it should stand."""

    place: Place
    kind: str
    text: str
    loss: bool = False

    @property
    def problem(self) -> Problem:
        """The finding as a fault."""
        return Problem(self.place, f"{self.kind}: {self.text}")


def grouped(findings: Iterable[Finding]) -> Iterator[str]:
    """A line for each kind: how many, and where the first of them are.

    >>> list(grouped([Finding(Place("a.md", 3), "picture on the web", "x.png")]))
    ['picture on the web: 1 (a.md:3 x.png)']
    """
    kinds: dict[str, list[Finding]] = {}
    for finding in sorted(set(findings)):
        kinds.setdefault(finding.kind, []).append(finding)
    for kind, found in kinds.items():
        yield f"{kind}: {len(found)} ({_named(found)})"


def _named(found: Sequence[Finding]) -> str:
    first = "; ".join(" ".join(filter(None, (str(one.place), one.text))) for one in found[:FIRST])
    return first + (f" and {len(found) - FIRST} more" if len(found) > FIRST else "")
