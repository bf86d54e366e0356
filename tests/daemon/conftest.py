"""Real daemons for the tests in this folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.geteuid() != 0:
        here = Path(__file__).parent
        reason = pytest.mark.skip(reason="a daemon of one's own needs root: namespaces, mounts and network devices")
        for item in items:
            if here in item.path.parents:
                item.add_marker(reason)
