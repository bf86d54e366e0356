"""Profiles, and with them the verbs that most collections share."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusBadRequestError,
    IncusConflictError,
    IncusNotFoundError,
    IncusPermissionError,
    IncusPreconditionFailedError,
)
from incus_sdk.models import ProfileBody
from incus_sdk.sync import Client as SyncClient

from .support import Server, call, entered

CARD = {"type": "none"}


@pytest.fixture
async def profile(admin: Client, name: str) -> AsyncGenerator[str]:
    """A profile with something in each of its fields; it is gone afterwards, whatever its name is then."""
    await admin.profiles.create(name, description="kept", config={"user.a": "1"}, devices={"eth9": CARD})
    yield name
    for left in await admin.profiles.names():
        if left.startswith(name):
            await admin.profiles.delete(left)


async def test_create(client: Client, admin: Client, name: str) -> None:
    made = await call(client.profiles.create(name, config={"limits.cpu": 2, "security.nesting": True}))
    try:
        assert (made.name, made.config) == (name, {"limits.cpu": "2", "security.nesting": "true"})
        with pytest.raises(IncusConflictError, match="already exists"):
            await call(client.profiles.create(name))
    finally:
        await admin.profiles.delete(name)


async def test_create_with_what_is_no_field(client: Client, name: str) -> None:
    create: Any = client.profiles.create
    with pytest.raises(IncusArgumentError, match=r"Profile has no field 'descripton' .did you mean 'description'"):
        await call(create(name, descripton="x"))
    with pytest.raises(IncusBadRequestError, match="description"):
        await call(create(name, description=5))
    assert not await call(client.profiles.exists(name))


async def test_get_and_list(client: Client, profile: str) -> None:
    found = await call(client.profiles.get(profile))
    assert (found.description, found.config, found.devices) == ("kept", {"user.a": "1"}, {"eth9": CARD})
    assert found in await call(client.profiles.list())
    assert profile in await call(client.profiles.names())
    assert await call(client.profiles.exists(profile))
    assert not await call(client.profiles.exists(f"{profile}-b"))
    with pytest.raises(IncusNotFoundError):
        await call(client.profiles.get(f"{profile}-b"))


async def test_update_changes_what_it_names(client: Client, profile: str) -> None:
    await call(client.profiles.update(profile, {"config": {"user.b": 2}}))
    found = await call(client.profiles.get(profile))
    assert (found.description, found.config, found.devices) == ("kept", {"user.a": "1", "user.b": "2"}, {"eth9": CARD})
    await call(found.update({"config": {"user.a": None}, "devices": {"eth8": CARD}, "description": "new"}))
    found = await call(found.refresh())
    assert (found.description, found.config) == ("new", {"user.b": "2"})
    assert found.devices == {"eth8": CARD, "eth9": CARD}


async def test_updates_that_are_refused(client: Client, profile: str) -> None:
    update: Any = client.profiles.update
    with pytest.raises(IncusArgumentError, match="a configuration key goes into its config"):
        await call(update(profile, {"user.a": "2"}))
    with pytest.raises(IncusArgumentError, match=r"edit\(\) can"):
        await call(update(profile, {"devices": {"eth9": None}}))
    with pytest.raises(IncusArgumentError, match=r"description.* cannot be None"):
        await call(update(profile, {"description": None}))
    with pytest.raises(TypeError, match="mapping"):
        await call(update(profile, "description"))
    with pytest.raises(IncusBadRequestError, match="Unknown configuration key"):
        await call(client.profiles.update(profile, {"config": {"no.such": "1"}}))
    with pytest.raises(IncusNotFoundError):
        await call(client.profiles.update(f"{profile}-b", {"description": "x"}))
    assert (await call(client.profiles.get(profile))).config == {"user.a": "1"}


async def test_replace(client: Client, profile: str) -> None:
    await call(client.profiles.replace(profile, {"config": {"user.b": "2"}}))
    found = await call(client.profiles.get(profile))
    assert (found.description, found.config, found.devices) == ("", {"user.b": "2"}, {})
    replace: Any = found.replace
    await call(replace({**found.to_dict(), "description": "x"}))  # what the server sent may be in it
    with pytest.raises(IncusArgumentError, match="no field 'devces'"):
        await call(replace({"devces": {}}))
    assert (await call(found.refresh())).description == "x"


async def _edit_while_another_does(client: Client, admin: Client, profile: str) -> None:
    async with entered(client.profiles.edit(profile)) as draft:
        draft["config"]["user.mine"] = "1"
        await admin.profiles.update(profile, {"config": {"user.theirs": "2"}})


async def test_two_at_once(client: Client, admin: Client, profile: str) -> None:
    with pytest.raises(IncusPreconditionFailedError):
        await _edit_while_another_does(client, admin, profile)
    assert (await call(client.profiles.get(profile))).config == {"user.a": "1", "user.theirs": "2"}
    async with entered(client.profiles.edit(profile)) as draft:
        draft["config"]["user.mine"] = True
        del draft["devices"]["eth9"]
    found = await call(client.profiles.get(profile))
    assert (found.config, found.devices) == ({"user.a": "1", "user.mine": "true", "user.theirs": "2"}, {})


async def test_modify_begins_again(client: Client, server: Server, profile: str) -> None:
    """Somebody else comes in between, once."""
    rivals = iter([{"user.theirs": "2"}])

    def change(draft: ProfileBody) -> None:
        for config in rivals:
            with SyncClient(server.endpoint) as rival:
                rival.profiles.update(profile, {"config": config})
        draft["config"]["user.mine"] = "1"

    await call(client.profiles.modify(profile, change))
    assert (await call(client.profiles.get(profile))).config == {"user.a": "1", "user.mine": "1", "user.theirs": "2"}


async def test_modify_by_what_nobody_would_await(client: Client, profile: str) -> None:
    async def change(draft: ProfileBody) -> None:
        draft["description"] = "lost"

    with pytest.raises(TypeError, match="plain function"):
        await call(client.profiles.modify(profile, change))
    assert (await call(client.profiles.get(profile))).description == "kept"


async def test_edit_with_what_is_no_field(client: Client, profile: str) -> None:
    with pytest.raises(IncusArgumentError, match="did you mean 'devices'"):
        async with entered(client.profiles.edit(profile)) as draft:
            cast("dict[str, Any]", draft)["device"] = {}


async def test_rename_and_delete(client: Client, profile: str) -> None:
    await call(client.profiles.rename(profile, f"{profile}-b"))
    assert not await call(client.profiles.exists(profile))
    found = await call(client.profiles.get(f"{profile}-b"))
    with pytest.raises(IncusConflictError):
        await call(found.rename("default"))
    with pytest.raises(IncusArgumentError, match="cannot be a name"):
        await call(found.rename(""))
    await call(found.delete())
    with pytest.raises(IncusNotFoundError):
        await call(found.delete())


async def test_the_default_profile_stays(client: Client) -> None:
    with pytest.raises(IncusPermissionError, match=r"cannot be deleted"):
        await call(client.profiles.delete("default"))


NASTY = [
    "a b",
    'q"uote',
    "com,ma",
    "x^y$",
    "p.q",
    "(par)",
    "back\\slash",
    "a|b",
    "new\nline",
    "über",
    "",
    "5",
    "true",
    "A",
]
"""Values that have a meaning in the server's notation, or in its regular expressions."""


async def test_filters(client: Client, admin: Client, name: str) -> None:
    names = [f"{name}-{position}" for position, _ in enumerate(NASTY)]
    for one, value in zip(names, NASTY, strict=True):
        await admin.profiles.create(one, config={"user.x": value}, description=f"of {name}")
    mine = {"description": f"of {name}"}
    try:
        for one, value in zip(names, NASTY, strict=True):
            found = await call(client.profiles.list(filter={**mine, "config.user.x": value}))
            assert [profile.name for profile in found] == [one], value
        some = await call(client.profiles.list(filter={**mine, "config.user.x": NASTY[:3]}))
        assert {profile.name for profile in some} == set(names[:3])
        assert await call(client.profiles.list(filter={**mine, "config.user.x": "a"})) == []  # "A" is another
        assert len(await call(client.profiles.list(filter=f"name eq {names[0]}"))) == 1
    finally:
        for one in names:
            await admin.profiles.delete(one)


async def test_projects(client: Client, admin: Client, name: str) -> None:
    await admin.api.post("/1.0/projects", {"name": name, "config": {"features.profiles": "true"}})
    try:
        await _in_a_project(client, name)
    finally:
        await admin.api.delete(f"/1.0/projects/{name}")
    with pytest.raises(IncusNotFoundError, match="Project not found"):
        await call(client.use_project(name).profiles.list())


async def _in_a_project(client: Client, name: str) -> None:
    view = client.use_project(name)
    made = await call(view.profiles.create(name, description="there"))
    assert made.project == name
    everywhere = await call(client.profiles.list(filter={"name": name}, all_projects=True))
    assert everywhere == [made]
    await call(everywhere[0].update({"description": "changed"}))  # in its own project
    assert (await call(view.profiles.get(name))).description == "changed"
    await call(everywhere[0].delete())
    assert not await call(view.profiles.exists(name))
