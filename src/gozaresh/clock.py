"""The present moment, or the one that SOURCE_DATE_EPOCH fixes, so that a build can be repeated."""

from __future__ import annotations

import os
from datetime import UTC, datetime


def now() -> datetime:
    """The time of the build, in UTC."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
