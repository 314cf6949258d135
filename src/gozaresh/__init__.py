"""Gozaresh: literate reports in Persian that can be trusted.

A report's way through the engine, one file a step::

    settings -> source -> execute (cache) -> export (markdown, maths) -> typeset (textlayer) -> proofread -> bundle

The entry point is :func:`gozaresh.cli.main`.
"""

__version__ = "0.1.0"
