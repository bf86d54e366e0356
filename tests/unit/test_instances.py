"""Instances: the requests that the verbs make to read, create and change them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from incus_sdk import (
    IncusArgumentError,
    IncusNotFoundError,
    IncusOperationConflictError,
    IncusPreconditionFailedError,
    IncusProtocolError,
    Instance,
)
from incus_sdk.api._instance_bodies import IMAGES_URL

from .daemon import SUCCESS, WAIT, Daemon, error, operation, started, sync

WEB = {"name": "web", "status": "Running", "project": "default", "config": {"user.x": "1"}, "profiles": None}
CREATED = {"resources": {"instances": ["/1.0/instances/rare-kite?project=shop"]}}
FINGERPRINT = "bacb30cd6ca5e6f238f8a3a3699c966c6cfd0a5292ee25951fda24a2c3f1fdf9"


async def web(daemon: Daemon, **fields: object) -> Instance:
    """An instance, as it is read."""
    daemon.will(sync({**WEB, **fields}))
    return await daemon.client().instances.get("web")


async def test_an_instance_that_the_server_does_not_name(daemon: Daemon) -> None:
    daemon.will(started(), sync(operation("Success", 200, resources=None)))
    with pytest.raises(IncusProtocolError, match="does not say which of the instances it makes"):
        await daemon.client().instances.launch("busybox")


async def test_a_slip_of_the_pen_in_an_edit_writes_nothing(daemon: Daemon) -> None:
    daemon.will(sync(WEB))
    with pytest.raises(IncusArgumentError, match=r"no field 'descrpition' \(did you mean 'description'\?\)"):
        async with daemon.client().instances.edit("web") as draft:
            cast("dict[str, Any]", draft)["descrpition"] = "front end"


async def test_modify_takes_no_coroutine_function(daemon: Daemon) -> None:
    class Later:
        def __await__(self) -> Iterator[None]:
            yield

    daemon.will(sync(WEB))
    with pytest.raises(TypeError, match="change must be a plain function"):
        await daemon.client().instances.modify("web", lambda draft: Later())


async def test_exists_in_a_project_that_does_not(daemon: Daemon) -> None:
    daemon.will(error(404, "Instance not found"), error(404, "Project not found"))
    with pytest.raises(IncusNotFoundError, match="Project not found"):
        await daemon.client(project="nope").instances.exists("web")
    assert daemon.targets == ["GET /1.0/instances/web?project=nope", "GET /1.0/projects/nope?project=nope"]


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({}, {"recursion": "1"}),
        ({"recursion": 2}, {"recursion": "2"}),
        ({"filter": "status eq running"}, {"recursion": "1", "filter": "status eq running"}),
        ({"all_projects": True}, {"recursion": "1", "all-projects": "true"}),
    ],
)
async def test_list(daemon: Daemon, options: dict[str, Any], query: dict[str, str]) -> None:
    daemon.will(sync([WEB]))
    (instance,) = await daemon.client().instances.list(**options)
    assert (instance.name, instance.config, instance.profiles, instance.state) == ("web", {"user.x": "1"}, [], None)
    assert (daemon.last.path, daemon.last.query) == ("/1.0/instances", query)


async def test_a_list_of_names_alone(daemon: Daemon) -> None:
    urls = ["/1.0/instances/web", "/1.0/instances/db?project=shop"]
    daemon.will(sync(urls), sync(urls))
    client = daemon.client()
    instances = await client.instances.list(0, all_projects=True)
    assert [(instance.name, instance.project) for instance in instances] == [("web", "default"), ("db", "shop")]
    assert daemon.last.query == {"recursion": "0", "all-projects": "true"}
    assert await client.instances.names() == ["web", "db"]


@pytest.mark.parametrize("recursion", [-1, 3, "1", None, True])
async def test_recursions_that_there_are_not(daemon: Daemon, recursion: Any) -> None:
    with pytest.raises(IncusArgumentError, match="recursion cannot be"):
        await daemon.client().instances.list(recursion)
    assert not daemon.requests


async def test_an_empty_list_of_a_project_that_does_not_exist(daemon: Daemon) -> None:
    daemon.will(*[sync([]), error(404, "Project not found")] * 2)
    instances = daemon.client(project="nope").instances
    with pytest.raises(IncusNotFoundError, match="Project not found"):
        await instances.list()
    with pytest.raises(IncusNotFoundError, match="Project not found"):
        await instances.names()
    daemon.will(sync([]), sync([]))
    assert await instances.list(all_projects=True) == []
    assert await daemon.client().instances.list() == []


async def test_get_and_exists(daemon: Daemon) -> None:
    daemon.will(sync({**WEB, "state": {"status": "Running"}}), sync(WEB), error(404, "x"), error(403, "no"))
    instances = daemon.client().instances
    found = await instances.get("web", full=True)
    assert found.state is not None
    assert daemon.last.query == {"recursion": "1"}
    assert await instances.exists("web")
    assert not await instances.exists("web")
    with pytest.raises(Exception, match="no"):
        await instances.exists("web")
    for name in ("", "..", "."):
        with pytest.raises(IncusArgumentError, match="cannot be a name"):
            await instances.get(name)


async def test_state(daemon: Daemon) -> None:
    daemon.will(sync({"status": "Running", "network": None}), sync({"status": "Running", "network": None}))
    instances = daemon.client().instances
    assert (await instances.state("web")).network == {}
    assert await instances.get_state("web") == {"status": "Running", "network": None}
    assert daemon.targets == ["GET /1.0/instances/web/state"] * 2


# -- creating ----------------------------------------------------------------------------------------------------------


async def test_create(daemon: Daemon) -> None:
    daemon.will(started(), started(), SUCCESS, sync(WEB))
    instances = daemon.client().use_target("node1").instances
    answer = await instances.create("web", {"type": "none"}, {"limits.cpu": 2}, start=True)
    assert not answer.done
    assert daemon.last.json == {
        "name": "web",
        "source": {"type": "none"},
        "type": "container",
        "config": {"limits.cpu": "2"},
        "ephemeral": False,
        "start": True,
    }
    created = await instances.create("web", {"type": "none"}, wait=True)
    assert (type(created), created.name) == (Instance, "web")
    assert {request.query.get("target") for request in daemon.requests} == {"node1"}


async def test_create_never_returns_one_that_was_there_before(daemon: Daemon) -> None:
    failed = operation("Failure", 400, description="Creating instance", err="UNIQUE constraint failed: instances.name")
    daemon.will(started(description="Creating instance"), sync(failed))
    with pytest.raises(IncusOperationConflictError, match="An instance of that name exists"):
        await daemon.client().instances.create("web", {"type": "none"}, wait=True)


@pytest.mark.parametrize("arguments", [("", {}), ("..", {}), (5, {}), ("web", "debian/13")])
async def test_create_refuses_before_it_sends(daemon: Daemon, arguments: tuple[Any, Any]) -> None:
    with pytest.raises((TypeError, IncusArgumentError)):
        await daemon.client().instances.create(*arguments, wait=True)
    with pytest.raises(TypeError, match="wait must be True or False, not 1"):
        await daemon.client().instances.create("web", {}, wait=1)  # type: ignore[call-overload]  # the point
    assert not daemon.requests


async def test_launch_with_a_name_of_the_server_s_choice(daemon: Daemon) -> None:
    daemon.will(started(**CREATED), sync(operation("Success", 200, **CREATED)), sync(WEB))
    await daemon.client(project="shop").instances.launch("images:debian/13", ephemeral=True)
    source = daemon.requests[0].json["source"]
    assert (source["server"], source["alias"]) == (IMAGES_URL, "debian/13")
    assert daemon.requests[0].json["start"] is True
    assert "name" not in daemon.requests[0].json
    assert daemon.last.target == "/1.0/instances/rare-kite?project=shop"


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        (error(404, "Image alias not found"), {"type": "image", "fingerprint": FINGERPRINT}),
        (sync({"name": FINGERPRINT}), {"type": "image", "alias": FINGERPRINT}),
    ],
)
async def test_launch_by_fingerprint(daemon: Daemon, answer: bytes, source: dict[str, str]) -> None:
    daemon.will(answer, started(), SUCCESS, sync(WEB))
    await daemon.client().instances.launch(FINGERPRINT, "web")
    assert daemon.targets[0] == f"GET /1.0/images/aliases/{FINGERPRINT}"
    assert daemon.requests[1].json["source"] == source


# -- changing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "arguments", "body"),
    [
        ("start", {}, {"action": "start", "force": False, "stateful": False, "timeout": 30}),
        ("start", {"stateful": True}, {"action": "start", "force": False, "stateful": True, "timeout": 30}),
        ("stop", {}, {"action": "stop", "force": False, "stateful": False, "timeout": 30}),
        ("stop", {"force": True, "timeout": 5}, {"action": "stop", "force": True, "stateful": False, "timeout": 5}),
        ("stop", {"timeout": None}, {"action": "stop", "force": False, "stateful": False, "timeout": -1}),
        ("stop", {"timeout": 0.2}, {"action": "stop", "force": False, "stateful": False, "timeout": 1}),
        ("restart", {"timeout": 0}, {"action": "restart", "force": False, "stateful": False, "timeout": 0}),
        ("freeze", {}, {"action": "freeze", "force": False, "stateful": False, "timeout": 30}),
        ("unfreeze", {}, {"action": "unfreeze", "force": False, "stateful": False, "timeout": 30}),
    ],
)
async def test_power(daemon: Daemon, verb: str, arguments: dict[str, Any], body: dict[str, Any]) -> None:
    daemon.will(started())
    answer = await getattr(daemon.client().instances, verb)("web", **arguments)
    assert not answer.done
    assert (daemon.targets, daemon.last.json) == (["PUT /1.0/instances/web/state"], body)
    instance = await web(daemon)
    daemon.will(started(), SUCCESS)
    assert (await getattr(instance, verb)(**arguments, wait=True)).done
    assert daemon.targets[2:] == ["PUT /1.0/instances/web/state", f"GET {WAIT}?timeout=60"]
    assert daemon.requests[2].json == body


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"wait": 30}, TypeError),
        ({"wait": None}, TypeError),
        ({"timeout": "30"}, TypeError),
        ({"timeout": True}, TypeError),
        ({"timeout": -1}, IncusArgumentError),
        ({"timeout": -0.5}, IncusArgumentError),
        ({"timeout": float("nan")}, IncusArgumentError),
        ({"timeout": float("inf")}, IncusArgumentError),
        ({"timeout": 10**10}, IncusArgumentError),
    ],
)
async def test_power_refuses_before_it_sends(daemon: Daemon, arguments: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"^(wait|timeout) "):
        await daemon.client().instances.stop("web", **arguments)
    assert not daemon.requests


async def test_update_replace_rename_delete(daemon: Daemon) -> None:
    instance = await web(daemon)
    daemon.will(sync({}), started(), started(), started(), SUCCESS)
    assert (await instance.update({"limits.cpu": 2, "description": "x"}, wait=True)).id == ""
    await instance.replace({"config": {"limits.cpu": 2}, "devices": {"root": {"size": 5}}})
    await instance.rename("www")
    await instance.delete(wait=True)
    assert [target.partition(" ")[0] for target in daemon.targets[1:]] == ["PATCH", "PUT", "POST", "DELETE", "GET"]
    assert [request.json for request in daemon.requests[1:4]] == [
        {"config": {"limits.cpu": "2"}, "description": "x"},
        {"config": {"limits.cpu": "2"}, "devices": {"root": {"size": "5"}}},
        {"name": "www"},
    ]
    assert instance.name == "web"  # verbs leave the object as it is
    with pytest.raises(IncusArgumentError, match="cannot be a name"):
        await instance.rename("")


async def test_update_repeats_the_description_that_the_server_would_empty(daemon: Daemon) -> None:
    daemon.will(sync({**WEB, "description": "front end"}), sync({}))
    await daemon.client().instances.update("web", {"user.x": None})
    assert daemon.targets == ["GET /1.0/instances/web", "PATCH /1.0/instances/web"]
    assert daemon.last.json == {"config": {"user.x": ""}, "description": "front end"}


@pytest.mark.parametrize("arguments", [{"config": {"nope": 1}}, {"config": {}, "wait": 1}, {"config": None}])
async def test_update_refuses_before_it_sends(daemon: Daemon, arguments: dict[str, Any]) -> None:
    with pytest.raises((TypeError, IncusArgumentError)):
        await daemon.client().instances.update("web", **arguments)
    assert not daemon.requests


async def test_edit_keeps_what_it_does_not_know(daemon: Daemon) -> None:
    definition = {**WEB, "new_field": {"a": [1]}}
    daemon.will(*[sync(definition, {"ETag": "e1"})] * 2, started(), SUCCESS)
    async with daemon.client().instances.edit("web") as draft:
        draft["config"]["limits.cpu"] = 2
        del draft["config"]["user.x"]
    assert daemon.requests[2].json == {**definition, "config": {"limits.cpu": "2"}}
    assert daemon.requests[2].headers["if-match"] == "e1"
    assert daemon.targets[:2] == ["GET /1.0/instances/web"] * 2
    assert daemon.targets[2:] == ["PUT /1.0/instances/web", f"GET {WAIT}?timeout=60"]


async def test_edit_writes_nothing_without_a_reason(daemon: Daemon) -> None:
    daemon.will(sync(WEB), sync(WEB))
    async with daemon.client().instances.edit("web") as draft:
        draft["config"] = dict(draft["config"])

    async def break_off() -> None:
        async with daemon.client().instances.edit("web") as draft:
            draft["config"]["user.x"] = 2
            raise KeyError

    with pytest.raises(KeyError):
        await break_off()
    assert len(daemon.requests) == 2


async def test_edit_tells_when_somebody_was_faster(daemon: Daemon) -> None:
    instance = await web(daemon)
    newer = sync({**WEB, "description": "theirs"}, {"ETag": "e1"})  # the server's ETag does not cover the description
    for answers in ([sync(WEB, {"ETag": "e1"}), error(412, "ETag doesn't match")], [newer]):
        daemon.will(sync(WEB, {"ETag": "e1"}), *answers)
        with pytest.raises(IncusPreconditionFailedError):
            async with instance.edit() as draft:
                draft["config"]["user.x"] = "x"


async def test_edit_does_not_mind_what_is_no_part_of_the_definition(daemon: Daemon) -> None:
    moved = {**WEB, "status": "Running", "last_used_at": "2030-01-02T03:04:05Z"}
    daemon.will(sync(WEB, {"ETag": "e1"}), sync(moved, {"ETag": "e1"}), started(), SUCCESS)
    async with daemon.client().instances.edit("web") as draft:
        draft["description"] = "x"
    assert daemon.requests[2].json == {**WEB, "description": "x"}


async def test_edit_refuses_what_is_no_part_of_the_definition(daemon: Daemon) -> None:
    for key, hint in {"name": r"; rename\(\) can$", "status": "$"}.items():
        daemon.will(sync(WEB))
        with pytest.raises(IncusArgumentError, match=f"an edit cannot change '{key}' of an instance{hint}"):
            async with daemon.client().instances.edit("web") as draft:
                cast("dict[str, Any]", draft)[key] = "x"
    assert daemon.targets == ["GET /1.0/instances/web"] * 2


async def test_modify_tries_again(daemon: Daemon) -> None:
    newer = {**WEB, "config": {"user.x": "5"}}
    changed = error(412, "ETag doesn't match")
    daemon.will(*[sync(WEB, {"ETag": "e1"})] * 2, changed, *[sync(newer, {"ETag": "e2"})] * 2, started(), SUCCESS)
    instances = daemon.client().instances

    def increase(draft: Any) -> None:
        draft["config"]["user.x"] = int(draft["config"]["user.x"]) + 1

    await instances.modify("web", increase)
    assert daemon.requests[5].json["config"] == {"user.x": "6"}
    assert daemon.requests[5].headers["if-match"] == "e2"
    instance = await web(daemon)
    daemon.will(*[sync(WEB), sync(WEB), changed] * 2)
    with pytest.raises(IncusPreconditionFailedError):
        await instance.modify(increase, attempts=2)
    with pytest.raises(IncusArgumentError, match="attempts cannot be 0"):
        await instances.modify("web", increase, attempts=0)
