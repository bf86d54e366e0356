"""The table of failures: each row is met on the versions that it names, and its class and hint are raised."""

from __future__ import annotations

import re

import pytest

from incus_sdk import (
    Client,
    IncusBadRequestError,
    IncusConflictError,
    IncusError,
    IncusMissingExtensionError,
    IncusNotFoundError,
    IncusOperationError,
    IncusPermissionError,
)
from incus_sdk._causes import TABLE, Cause

from . import clustered
from .provocations import PROVOCATIONS, Provocation, Scene
from .support import Server

CLASSES: dict[int, type[IncusError]] = {
    400: IncusBadRequestError,
    403: IncusPermissionError,
    404: IncusNotFoundError,
    409: IncusConflictError,
}

CASES = [
    pytest.param(row, provocation, id=f"{position}-{provocation.__name__}")
    for position, row in enumerate(TABLE)
    for provocation in PROVOCATIONS.get((row.where, row.text), [])
]


WHILE_STOPPING = {("", row.text) for row in TABLE if row.status == 503}
"""These need a daemon that is going down: tests/daemon/test_stopping.py has them."""


WITH_A_MACHINE = {(row.where, row.text) for row in TABLE if row.where == "/bitmaps" or "container type" in row.text}
"""These need a virtual machine that runs: they were met by hand, and tests/unit/test_failures.py has what was said."""


RESTRICTED = {("", row.text) for row in TABLE if row.status == 403} - set(PROVOCATIONS)
"""These need a client whose certificate is restricted: test_certificates.py has them."""


def test_each_row_has_a_provocation() -> None:
    met = set(PROVOCATIONS) | set(clustered.PROVOCATIONS) | WHILE_STOPPING | WITH_A_MACHINE | RESTRICTED
    assert met == {(row.where, row.text) for row in TABLE}


@pytest.mark.parametrize(("row", "provocation"), CASES)
async def test_row(client: Client, server: Server, name: str, row: Cause, provocation: Provocation) -> None:
    with pytest.raises(IncusError) as caught:
        await provocation(Scene(client, name, server))
    if isinstance(caught.value, IncusMissingExtensionError):
        assert server.version not in row.versions
        return
    check_row(row, server.version, caught.value)


def check_row(row: Cause, version: str, error: IncusError) -> None:
    """Check that an error is what a row makes of what the server said, if servers of that version say so."""
    said = _said(error)
    assert said in str(error)
    assert said
    if version not in row.versions:
        assert not re.search(row.text, said), f"{version} says so, too: the row must name it"
        return
    assert re.search(row.text, said)
    assert row.hint in str(error)
    if row.status is None:
        assert type(error) is IncusOperationError
    else:
        assert isinstance(error, CLASSES[row.status])


def _said(error: IncusError) -> str:
    """Return the server's own words: of a refused request, or of a failed operation."""
    assert error.response is not None
    return str(error.response.get("error") or error.response.get("err"))
