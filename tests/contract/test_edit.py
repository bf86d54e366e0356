"""edit and modify: nothing that others wrote gets lost."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from incus_sdk import Client, IncusArgumentError, IncusBadRequestError, IncusNotFoundError, Instance
from incus_sdk import IncusPreconditionFailedError as Conflict
from incus_sdk.models import InstanceBody

from .conftest import ROOT_DISK
from .support import NOTHING, Face, call, entered, listening

Editing = AbstractAsyncContextManager[InstanceBody]


async def test_edit(client: Client, name: str, empty: Instance) -> None:
    async with entered(client.instances.edit(name)) as draft:
        assert dict(draft)["name"] == name
        draft["config"]["limits.cpu"] = 2
        draft["config"]["user.flag"] = True
        draft["description"] = "edited"
    after = await call(client.instances.get(name))
    assert after.config == {**empty.config, "limits.cpu": "2", "user.flag": "true"}
    assert (after.description, after.profiles) == ("edited", empty.profiles)


async def test_edit_removes_a_device(client: Client, name: str) -> None:
    device = {"type": "disk", "source": "/tmp", "path": "/x"}
    await call(client.instances.create(name, NOTHING, devices={"x": device, "y": {**device, "path": "/y"}}, wait=True))
    async with entered(client.instances.edit(name)) as draft:
        del draft["devices"]["x"]
    assert (await call(client.instances.get(name))).devices == {"y": {**device, "path": "/y"}}


async def test_edit_keeps_what_it_does_not_know(client: Client, admin: Client, name: str, empty: Instance) -> None:
    sent = (await admin.api.get(f"/1.0/instances/{name}"))["metadata"]
    async with entered(client.instances.edit(name)) as draft:
        assert dict(draft) == sent
        draft["description"] = "x"
    after = (await admin.api.get(f"/1.0/instances/{name}"))["metadata"]
    assert after == {**sent, "description": "x"}
    assert after["config"] == empty.config


async def _edit_while_another_does(editing: Editing, admin: Client, name: str, theirs: dict[str, Any]) -> None:
    async with entered(editing) as draft:
        draft["config"]["user.mine"] = "1"
        await admin.instances.update(name, theirs)


async def _edit_and_raise(editing: Editing) -> None:
    async with entered(editing) as draft:
        draft["config"]["user.mine"] = "1"
        raise RuntimeError("a change of mind")


async def test_edit_under_somebody_elses_change(client: Client, admin: Client, name: str, empty: Instance) -> None:
    editing = client.instances.edit(name)
    with pytest.raises(Conflict, match=f"PUT /1.0/instances/{name}") as caught:
        await _edit_while_another_does(editing, admin, name, {"user.theirs": "2"})
    assert caught.value.status_code == 412
    assert (await call(client.instances.get(name))).config == {**empty.config, "user.theirs": "2"}


@pytest.mark.parametrize(
    "theirs",
    [
        {"description": "theirs"},
        {"ephemeral": True},
        {"profiles": [], "devices": ROOT_DISK},
        {"config": {"user.theirs": "1"}},
    ],
)
async def test_edit_under_a_change_of_each_field(
    client: Client, admin: Client, name: str, empty: Instance, theirs: dict[str, Any]
) -> None:
    """The server's ETag does not cover the description."""
    with pytest.raises(Conflict, match=f"PUT /1.0/instances/{name}"):
        await _edit_while_another_does(client.instances.edit(name), admin, name, theirs)
    after = (await call(client.instances.get(name))).to_dict()
    assert "user.mine" not in after["config"]
    assert {**after, **theirs, "config": {**after["config"], **theirs.get("config", {})}} == after


async def test_edit_of_what_cannot_be_changed(client: Client, name: str, empty: Instance) -> None:
    def change(draft: Any) -> None:
        draft["name"] = f"{name}-b"

    with pytest.raises(IncusArgumentError, match=r"cannot change 'name' of an instance; rename\(\) can"):
        await call(client.instances.modify(name, change))
    with pytest.raises(IncusArgumentError, match=r"cannot change 'name' of Profile; rename\(\) can"):
        await call(client.profiles.modify("default", change))
    groups: list[Any] = [client.instances, client.profiles]
    for group, known in zip(groups, [name, "default"], strict=True):
        with pytest.raises(IncusArgumentError, match=r"an update cannot change 'name' of .*; rename\(\) can"):
            await call(group.update(known, {"name": f"{name}-b"}))
    assert (await call(client.instances.get(name))).to_dict() == empty.to_dict()


async def test_edit_that_raises_writes_nothing(client: Client, name: str, empty: Instance) -> None:
    with pytest.raises(RuntimeError, match="a change of mind"):
        await _edit_and_raise(client.instances.edit(name))
    assert (await call(client.instances.get(name))).to_dict() == empty.to_dict()


async def test_edit_without_a_change_sends_nothing(client: Client, admin: Client, name: str, empty: Instance) -> None:
    """So a change by others does not matter to it either."""
    async with entered(client.instances.edit(name)) as draft:
        await admin.instances.update(name, {"user.theirs": "2"})
        assert draft["config"] == empty.config


async def test_edit_that_the_server_refuses(client: Client, name: str, empty: Instance) -> None:
    with pytest.raises(IncusBadRequestError, match="Unknown configuration key"):
        async with entered(client.instances.edit(name)) as draft:
            draft["config"]["no.such"] = "1"
    assert (await call(client.instances.get(name))).to_dict() == empty.to_dict()
    with pytest.raises(IncusNotFoundError):
        async with entered(client.instances.edit(f"{name}-b")):
            pytest.fail("there is nothing to edit")


async def test_all_goes_back_under_the_etag(face: Face) -> None:
    """What a newer server may send, too, and just as it came."""
    sent = {"name": "x", "config": {"a.b": "1"}, "new": {"list": [1, None, 0.5]}, "big": 2**60, "description": ""}
    async with listening() as listener:
        listener.answers = [sent, {**sent, "status": "Running"}]
        client = face.client(listener.endpoint)
        with pytest.raises(IncusBadRequestError, match="noted"):
            await face.start(lambda: client.instances.modify("x", lambda draft: draft.update({"description": "new"})))
        await face.start(client.disconnect)
    *got, put = listener.requests
    assert ([each.method for each in got], put.method) == (["GET", "GET"], "PUT")
    assert put.headers["if-match"] == '"an-etag"'
    assert put.json() == {**sent, "description": "new"}


async def test_modify(client: Client, name: str, empty: Instance) -> None:
    await call(client.instances.modify(name, lambda draft: draft["config"].update({"user.x": 1})))
    assert (await call(client.instances.get(name))).config == {**empty.config, "user.x": "1"}


async def test_modify_tries_again(client: Client, face: Face, name: str, empty: Instance) -> None:
    """The function itself is what changes the instance behind its own back, twice."""
    other = face.client(client.api.endpoint)
    seen: list[str] = []

    def change(draft: Any) -> None:
        seen.append(draft["config"].get("user.theirs", ""))
        draft["config"]["user.mine"] = f"{len(seen)}"
        if len(seen) < 3:
            _interfere(client.api.endpoint, name, f"{len(seen)}")

    await call(client.instances.modify(name, change))
    await call(other.disconnect())
    assert seen == ["", "1", "2"]
    assert (await call(client.instances.get(name))).config == {**empty.config, "user.theirs": "2", "user.mine": "3"}


async def test_modify_gives_up(client: Client, name: str, empty: Instance) -> None:
    calls: list[int] = []

    def change(draft: Any) -> None:
        calls.append(1)
        draft["config"]["user.mine"] = "1"
        _interfere(client.api.endpoint, name, f"{len(calls)}")

    with pytest.raises(Conflict):
        await call(client.instances.modify(name, change, attempts=2))
    assert len(calls) == 2
    assert (await call(client.instances.get(name))).config == {**empty.config, "user.theirs": "2"}
    with pytest.raises(IncusArgumentError, match="attempts cannot be 0"):
        await call(client.instances.modify(name, change, attempts=0))


def _interfere(endpoint: str, name: str, value: str) -> None:
    """Change the instance as somebody else would, while the caller's event loop stands still."""
    import asyncio
    import threading

    async def change() -> None:
        async with Client(endpoint) as somebody:
            await somebody.instances.update(name, {"user.theirs": value})

    thread = threading.Thread(target=lambda: asyncio.run(change()))
    thread.start()
    thread.join()
