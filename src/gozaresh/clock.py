"""The present moment, or the one that SOURCE_DATE_EPOCH fixes, so that a build can be repeated."""

from __future__ import annotations

import os
from datetime import UTC, datetime


def now() -> datetime:
    """The time of the build, in UTC."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)


def repeatable() -> bool:
    """Whether two builds shall be alike to the byte, so that nothing may tell how long anything took."""
    return bool(os.environ.get("SOURCE_DATE_EPOCH"))


def took(seconds: float) -> dict[str, float]:
    """What a record says of a duration: nothing, where builds shall be alike."""
    return {} if repeatable() else {"seconds": round(seconds, 1)}
