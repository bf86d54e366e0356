"""The table of failures: each row is met on the versions that it names, and its class and hint are raised."""

from __future__ import annotations

import re

import pytest

from incus_sdk import (
    Client,
    IncusBadRequestError,
    IncusConflictError,
    IncusError,
    IncusNotFoundError,
    IncusOperationError,
)
from incus_sdk._failures import TABLE, Cause

from .provocations import PROVOCATIONS, Provocation, Scene
from .support import Server

CLASSES: dict[int, type[IncusError]] = {400: IncusBadRequestError, 404: IncusNotFoundError, 409: IncusConflictError}

CASES = [
    pytest.param(row, provocation, id=f"{position}-{provocation.__name__}")
    for position, row in enumerate(TABLE)
    for provocation in PROVOCATIONS.get((row.where, row.text), [])
]


def test_each_row_has_a_provocation() -> None:
    assert set(PROVOCATIONS) == {(row.where, row.text) for row in TABLE}


@pytest.mark.parametrize(("row", "provocation"), CASES)
async def test_row(client: Client, server: Server, name: str, row: Cause, provocation: Provocation) -> None:
    with pytest.raises(IncusError) as caught:
        await provocation(Scene(client, name, server))
    error, said = caught.value, _said(caught.value)
    assert said in str(error)
    assert said
    if server.version not in row.versions:
        assert not re.search(row.text, said), f"{server.version} says so, too: the row must name it"
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
