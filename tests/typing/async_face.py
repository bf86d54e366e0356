"""What type checkers make of the asynchronous face. Nothing here is ever run: mypy and pyright read it."""

# What a line with an ignore holds has to be an error: both checkers complain about an ignore that they do not need.
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, assert_type

from incus_sdk import APIClient, Client, ExecResponse, Instance, InstancesAPI, OperationResponse
from incus_sdk.models import InstanceBody, InstancePut, InstanceSnapshot, InstanceSource, InstanceState
from incus_sdk.models.progress import OperationProgress


async def clients(flag: bool) -> None:
    """The client itself."""
    async with Client() as client:
        assert_type(client, Client)
        assert_type(client.use_project("shop"), Client)
        assert_type(client.use_target("node1"), Client)
        assert_type(client.api, APIClient)
        assert_type(client.api.project, str | None)
        assert_type(client.instances, InstancesAPI)
        assert_type(await client.get_server_info(), dict[str, Any])
        assert_type(await client.get_resources(), dict[str, Any])
        assert_type(await client.wait_for_operation("id"), OperationResponse)
    Client("https://192.0.2.1:8443", (Path("client.crt"), "client.key"), Path("server.crt"), "shop", None, retries=0)
    Client(cert="both.pem", verify=flag)
    Client(retries="2")  # type: ignore[arg-type]
    Client(None, None, True, None, 30, 2)  # type: ignore[call-arg]


async def requests(api: APIClient) -> None:
    """The client below the groups."""
    assert_type(await api.get("/1.0", {"recursion": 1}), dict[str, Any])
    assert_type(await api.post("/1.0/x", {"a": 1}), dict[str, Any])
    assert_type(await api.put("/1.0/x", b"raw"), dict[str, Any])
    assert_type(await api.read("/1.0/x", InstanceState), InstanceState)
    assert_type(await api.read("/1.0/x", dict[str, Any]), dict[str, Any])
    assert_type(await api.read_list("/1.0/x", str), list[str])
    assert_type(await api.read_with_etag("/1.0/x"), tuple[dict[str, Any], str])
    assert_type((await api.read_raw("/1.0/x")).body, bytes)
    assert_type(await api.operation("PUT", "/1.0/x", {}, etag="e"), OperationResponse)
    assert_type(await api.wait("id", 5), dict[str, Any])
    await api.post("/1.0/x", "text")  # type: ignore[arg-type]


async def reading(instances: InstancesAPI) -> None:
    """What is read, and the data in it."""
    assert_type(await instances.list(), list[Instance])
    assert_type(await instances.list(2, filter="status eq running", all_projects=True), list[Instance])
    assert_type(await instances.names(), list[str])
    assert_type(await instances.exists("web"), bool)
    assert_type(await instances.state("web"), InstanceState)
    assert_type(await instances.get_state("web"), dict[str, Any])
    web = await instances.get("web", full=True)
    assert_type(web, Instance)
    assert_type(web.config, dict[str, str])
    assert_type(web.devices, dict[str, dict[str, str]])
    assert_type(web.profiles, list[str])
    assert_type(web.state, InstanceState | None)
    assert_type(web.snapshots, list[InstanceSnapshot] | None)
    assert_type(await web.refresh(full=True), Instance)
    assert_type(await web.get_state(), dict[str, Any])
    assert_type(web.to_dict(), dict[str, Any])
    assert_type(Instance.from_dict({"name": "web"}), Instance)
    await instances.list(1, "status eq running")  # type: ignore[call-arg]
    await instances.get(5)  # type: ignore[arg-type]
    _ = web.stats  # type: ignore[attr-defined]


async def creating(c: InstancesAPI, flag: bool, source: InstanceSource, mine: dict[str, str]) -> None:
    """`create` returns what `wait` asks for."""
    plain = {"type": "image", "alias": "debian/13"}
    anything: dict[str, Any] = {"type": "none"}
    assert_type(await c.create("web", plain), OperationResponse)
    assert_type(await c.create("web", source), OperationResponse)
    assert_type(await c.create("web", anything), OperationResponse)
    assert_type(await c.create(name="web", source={"type": "image", "alias": "debian/13"}), OperationResponse)
    assert_type(await c.create("web", plain, wait=False), OperationResponse)
    assert_type(await c.create("web", plain, wait=True), Instance)
    assert_type(await c.create("web", plain, {"limits.cpu": 2, "a.b": True, "c.d": Path("/x")}, wait=True), Instance)
    assert_type(await c.create("web", plain, mine, {"r": mine}, ("default",), True, "container", wait=True), Instance)
    assert_type(await c.create("web", plain, instance_type="virtual-machine", flavor="t3.micro", wait=True), Instance)
    assert_type(await c.create("web", plain, description="d", start=True, wait=True), Instance)
    assert_type(await c.create("web", plain, wait=flag), OperationResponse | Instance)
    assert_type(await c.launch("images:debian/13"), Instance)
    assert_type(await c.launch("images:debian/13", "web", config={"limits.memory": "1GiB"}), Instance)
    await c.create("web")  # type: ignore[call-overload]
    await c.create("web", "debian/13")  # type: ignore[call-overload]
    await c.create("web", plain, descripton="d")  # type: ignore[call-overload]
    await c.create("web", plain, start="yes")  # type: ignore[call-overload]
    await c.create("web", plain, {"limits.cpu": [1]})  # type: ignore[dict-item]
    await c.launch("images:debian/13", wait=True)  # type: ignore[call-arg]


async def changing(c: InstancesAPI, web: Instance, changes: Mapping[str, Any], put: InstancePut) -> None:
    """`update`, `replace`, `edit`, `modify`, `rename`, `delete`."""
    assert_type(await c.update("web", {"limits.cpu": 2, "description": "d"}), OperationResponse)
    assert_type(await c.update("web", {"config": {"limits.cpu": None}, "profiles": ["a"]}, True), OperationResponse)
    assert_type(await c.update("web", changes, wait=True), OperationResponse)
    assert_type(await c.replace("web", put, wait=True), OperationResponse)
    assert_type(await c.rename("web", "www", wait=True), OperationResponse)
    assert_type(await c.delete("web", wait=True), OperationResponse)
    async with c.edit("web") as draft:
        assert_type(draft, InstanceBody)
        assert_type(draft["description"], str)
        assert_type(draft["profiles"], list[str])
        draft["config"]["limits.cpu"] = 2
        draft["devices"]["eth0"] = {"type": "nic"}
        del draft["devices"]["eth0"]
        draft["descripton"] = "d"  # type: ignore[typeddict-unknown-key]
        draft["description"] = 5  # type: ignore[typeddict-item]
    await c.modify("web", lambda draft: draft["profiles"].append("a"), attempts=5)
    await c.modify("web", lambda draft: draft["description"].nope())  # type: ignore[attr-defined]
    assert_type(await web.update({"limits.cpu": 2}), OperationResponse)
    assert_type(await web.replace(put), OperationResponse)
    assert_type(await web.rename("www"), OperationResponse)
    assert_type(await web.delete(wait=True), OperationResponse)
    async with web.edit() as own:
        assert_type(own, InstanceBody)
    await web.modify(lambda draft: draft["config"].pop("user.x", None))
    await c.replace("web", {"descripton": "d"})  # type: ignore[typeddict-unknown-key]


async def power(c: InstancesAPI, web: Instance) -> None:
    """The verbs that change the state."""
    assert_type(await c.start("web", True, True), OperationResponse)
    assert_type(await c.stop("web", True, False, True, timeout=5), OperationResponse)
    assert_type(await c.stop("web", wait=True, timeout=None), OperationResponse)
    assert_type(await c.restart("web", True, True, timeout=5), OperationResponse)
    assert_type(await c.freeze("web", wait=True), OperationResponse)
    assert_type(await c.unfreeze("web", True), OperationResponse)
    assert_type(await web.start(wait=True), OperationResponse)
    assert_type(await web.stop(True, False, True), OperationResponse)
    assert_type(await web.restart(wait=True, timeout=5), OperationResponse)
    assert_type(await web.freeze(), OperationResponse)
    assert_type(await web.unfreeze(), OperationResponse)
    await c.stop("web", True, False, 30)  # type: ignore[arg-type]
    await c.stop("web", True, False, True, 30)  # type: ignore[call-arg]


async def commands(c: InstancesAPI, web: Instance) -> None:
    """`execute`, and what an operation tells."""
    result = await c.execute("web", ["echo", "Hello"], {"LANG": "C", "N": 5}, record_output=True, wait=True)
    assert_type(result, ExecResponse)
    assert_type(result.returncode, int | None)
    assert_type(result.stdout, str)
    assert_type(result.stderr_bytes, bytes)
    assert_type(await web.execute(("ls",), cwd="/", user=1000), ExecResponse)
    assert_type(await result.wait(5), ExecResponse)
    operation = await web.start()
    assert_type(operation["metadata"], Any)
    assert_type(operation.id, str)
    assert_type(operation.done, bool)
    assert_type(operation.resources, dict[str, list[str]])
    assert_type(operation.progress, OperationProgress | None)
    assert_type(await operation.wait(), OperationResponse)
    assert_type(await operation.refresh(), OperationResponse)
    assert_type(await operation.cancel(), OperationResponse)
    await c.execute("web", ["ls"], user="root")  # type: ignore[arg-type]
    await c.execute("web", ["ls"], {"A": None})  # type: ignore[dict-item]


async def files(c: InstancesAPI, web: Instance) -> None:
    """Single files, and logs."""
    assert_type(await c.get_files("web", "/etc/hosts"), bytes)
    assert_type(await c.put_files("web", PurePosixPath("/etc/motd"), "Hello", uid=0, mode=0o644), OperationResponse)
    assert_type(await c.get_logs("web"), dict[str, str])
    assert_type(await web.get_files("/etc/hosts"), bytes)
    assert_type(await web.put_files("/etc/motd", b"Hello", append=True), OperationResponse)
    assert_type(await web.get_logs(), dict[str, str])
    await c.put_files("web", "/etc/motd", 5)  # type: ignore[arg-type]
    await c.put_files("web", "/etc/motd", b"", 0)  # type: ignore[call-arg]
