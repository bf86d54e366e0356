"""Warnings, of which private daemons have some from their start: they lack parts of the kernel."""

from __future__ import annotations

from typing import Any

import pytest

from incus_sdk import Client, IncusArgumentError, IncusBadRequestError, IncusNotFoundError, IncusPermissionError

from .support import Server, call

NONE = "6a3d9b1e-5a76-4b1a-9c0d-111111111111"


async def test_get_and_list(client: Client) -> None:
    found = await call(client.warnings.list())
    assert found
    assert {warning.uuid for warning in found} == set(await call(client.warnings.names()))
    warning = await call(client.warnings.get(found[0].uuid))
    assert warning == found[0]
    assert warning.first_seen_at is not None
    assert await call(client.warnings.list(filter={"uuid": warning.uuid})) == [warning]
    assert await call(client.warnings.exists(warning.uuid))
    assert not await call(client.warnings.exists(NONE))
    with pytest.raises(IncusNotFoundError, match="Warning not found"):
        await call(client.warnings.get(NONE))


async def test_a_project_has_those_about_it(client: Client) -> None:
    assert "" in {warning.project for warning in await call(client.warnings.list())}
    for warning in await call(client.use_project("default").warnings.list()):
        assert warning.project == "default"
    with pytest.raises(IncusNotFoundError, match="Project not found"):
        await call(client.use_project("no-such-project").warnings.list())


async def test_changes(client: Client) -> None:
    warning = (await call(client.warnings.list()))[0]
    await call(warning.acknowledge())
    assert (await call(warning.refresh())).status == "acknowledged"
    await call(warning.replace({"status": "new"}))
    assert (await call(warning.refresh())).status == "new"
    await call(warning.update({"status": "acknowledged"}))
    await call(client.warnings.update(warning.uuid, {"status": "new"}))
    assert (await call(warning.refresh())).status == "new"


async def test_changes_that_are_refused(client: Client) -> None:
    warning = (await call(client.warnings.list()))[0]
    update: Any = client.warnings.update
    with pytest.raises(IncusPermissionError, match="Status may only be set"):
        await call(update(warning.uuid, {"status": "resolved"}))
    with pytest.raises(IncusBadRequestError):
        await call(update(warning.uuid, {"status": "bogus"}))
    with pytest.raises(IncusArgumentError, match="Warning has no field 'staus'"):
        await call(update(warning.uuid, {"staus": "new"}))
    with pytest.raises(IncusNotFoundError):
        await call(client.warnings.acknowledge(NONE))
    with pytest.raises(IncusNotFoundError):
        await call(client.warnings.delete(NONE))


async def test_delete(client: Client, server: Server) -> None:
    """There is no way to have a daemon warn on demand, so this takes one that it had from its start."""
    found = await call(client.warnings.list())
    if server.private is None or len(found) < 2:
        pytest.skip("the daemon is not ours, or would have no warning left for the other tests")
    await call(found[-1].delete())
    assert not await call(client.warnings.exists(found[-1].uuid))
    with pytest.raises(IncusNotFoundError):
        await call(found[-1].delete())
