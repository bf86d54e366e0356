"""What all tests share: which Incus daemons there are to run on."""

from __future__ import annotations

import gc
import os
import sys

import pytest

ENDPOINT = os.environ.get("INCUS_SDK_TEST_ENDPOINT") or None
"""A running daemon to test on, instead of private ones."""

ROOTFS = os.environ.get("INCUS_SDK_ROOTFS_7_0") or None
"""Root file system with Incus 7.0; the other private daemon is the machine's own Incus, 6.0 on Debian."""

DAEMONS = ["given"] if ENDPOINT else ["6.0", "7.0"] if ROOTFS else ["6.0"]
"""Names of the daemons that the contract tests run on."""


def pytest_configure(config: pytest.Config) -> None:
    """Print plain tracebacks on Pythons that can fail in `ast.parse` when threads switch meanwhile (gh-106905)."""
    if sys.version_info < (3, 11, 8):
        config.option.tbstyle = "native"


def pytest_collection_finish() -> None:
    """Spare the garbage collector what thousands of tests consist of: some tests have it look at everything."""
    gc.freeze()


def pytest_report_header() -> str:
    """Tell which daemons the tests that need one run on, and why one is missing."""
    if ENDPOINT:
        return "incus: the daemon of INCUS_SDK_TEST_ENDPOINT; tests that would kill it are left out"
    if ROOTFS:
        return "incus: private daemons of this machine's version (6.0) and of 7.0"
    return "incus: a private daemon of this machine's version (6.0); none of 7.0: INCUS_SDK_ROOTFS_7_0 is not set"
