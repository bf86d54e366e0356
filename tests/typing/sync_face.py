"""What type checkers make of the synchronous face. Nothing here is ever run: mypy and pyright read it."""

# What a line with an ignore holds has to be an error: both checkers complain about an ignore that they do not need.
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, assert_type

from incus_sdk.models import InstanceBody, InstancePut, InstanceSnapshot, InstanceSource, InstanceState
from incus_sdk.models.progress import OperationProgress
from incus_sdk.sync import APIClient, Client, ExecResponse, Instance, InstancesAPI, OperationResponse


def clients(flag: bool) -> None:
    """The client itself."""
    with Client() as client:
        assert_type(client, Client)
        assert_type(client.use_project("shop"), Client)
        assert_type(client.use_target("node1"), Client)
        assert_type(client.api, APIClient)
        assert_type(client.api.project, str | None)
        assert_type(client.instances, InstancesAPI)
        assert_type(client.get_server_info(), dict[str, Any])
        assert_type(client.get_resources(), dict[str, Any])
        assert_type(client.wait_for_operation("id"), OperationResponse)
    Client("https://192.0.2.1:8443", (Path("client.crt"), "client.key"), Path("server.crt"), "shop", None, retries=0)
    Client(cert="both.pem", verify=flag)
    Client(retries="2")  # type: ignore[arg-type]
    Client(None, None, True, None, 30, 2)  # type: ignore[call-arg]


def requests(api: APIClient) -> None:
    """The client below the groups."""
    assert_type(api.get("/1.0", {"recursion": 1}), dict[str, Any])
    assert_type(api.post("/1.0/x", {"a": 1}), dict[str, Any])
    assert_type(api.put("/1.0/x", b"raw"), dict[str, Any])
    assert_type(api.read("/1.0/x", InstanceState), InstanceState)
    assert_type(api.read("/1.0/x", dict[str, Any]), dict[str, Any])
    assert_type(api.read_list("/1.0/x", str), list[str])
    assert_type(api.read_with_etag("/1.0/x"), tuple[dict[str, Any], str])
    assert_type((api.read_raw("/1.0/x")).body, bytes)
    assert_type(api.operation("PUT", "/1.0/x", {}, etag="e"), OperationResponse)
    assert_type(api.wait("id", 5), dict[str, Any])
    api.post("/1.0/x", "text")  # type: ignore[arg-type]


def reading(instances: InstancesAPI) -> None:
    """What is read, and the data in it."""
    assert_type(instances.list(), list[Instance])
    assert_type(instances.list(2, filter="status eq running", all_projects=True), list[Instance])
    assert_type(instances.names(), list[str])
    assert_type(instances.exists("web"), bool)
    assert_type(instances.state("web"), InstanceState)
    assert_type(instances.get_state("web"), dict[str, Any])
    web = instances.get("web", full=True)
    assert_type(web, Instance)
    assert_type(web.config, dict[str, str])
    assert_type(web.devices, dict[str, dict[str, str]])
    assert_type(web.profiles, list[str])
    assert_type(web.state, InstanceState | None)
    assert_type(web.snapshots, list[InstanceSnapshot] | None)
    assert_type(web.refresh(full=True), Instance)
    assert_type(web.get_state(), dict[str, Any])
    assert_type(web.to_dict(), dict[str, Any])
    assert_type(Instance.from_dict({"name": "web"}), Instance)
    instances.list(1, "status eq running")  # type: ignore[call-arg]
    instances.get(5)  # type: ignore[arg-type]
    _ = web.stats  # type: ignore[attr-defined]


def creating(c: InstancesAPI, flag: bool, source: InstanceSource, mine: dict[str, str]) -> None:
    """`create` returns what `wait` asks for."""
    plain = {"type": "image", "alias": "debian/13"}
    anything: dict[str, Any] = {"type": "none"}
    assert_type(c.create("web", plain), OperationResponse)
    assert_type(c.create("web", source), OperationResponse)
    assert_type(c.create("web", anything), OperationResponse)
    assert_type(c.create(name="web", source={"type": "image", "alias": "debian/13"}), OperationResponse)
    assert_type(c.create("web", plain, wait=False), OperationResponse)
    assert_type(c.create("web", plain, wait=True), Instance)
    assert_type(c.create("web", plain, {"limits.cpu": 2, "a.b": True, "c.d": Path("/x")}, wait=True), Instance)
    assert_type(c.create("web", plain, mine, {"r": mine}, ("default",), True, "container", wait=True), Instance)
    assert_type(c.create("web", plain, instance_type="virtual-machine", flavor="t3.micro", wait=True), Instance)
    assert_type(c.create("web", plain, description="d", start=True, wait=True), Instance)
    assert_type(c.create("web", plain, wait=flag), OperationResponse | Instance)
    assert_type(c.launch("images:debian/13"), Instance)
    assert_type(c.launch("images:debian/13", "web", config={"limits.memory": "1GiB"}), Instance)
    c.create("web")  # type: ignore[call-overload]
    c.create("web", "debian/13")  # type: ignore[call-overload]
    c.create("web", plain, descripton="d")  # type: ignore[call-overload]
    c.create("web", plain, start="yes")  # type: ignore[call-overload]
    c.create("web", plain, {"limits.cpu": [1]})  # type: ignore[dict-item]
    c.launch("images:debian/13", wait=True)  # type: ignore[call-arg]


def changing(c: InstancesAPI, web: Instance, changes: Mapping[str, Any], put: InstancePut) -> None:
    """`update`, `replace`, `edit`, `modify`, `rename`, `delete`."""
    assert_type(c.update("web", {"limits.cpu": 2, "description": "d"}), OperationResponse)
    assert_type(c.update("web", {"config": {"limits.cpu": None}, "profiles": ["a"]}, True), OperationResponse)
    assert_type(c.update("web", changes, wait=True), OperationResponse)
    assert_type(c.replace("web", put, wait=True), OperationResponse)
    assert_type(c.rename("web", "www", wait=True), OperationResponse)
    assert_type(c.delete("web", wait=True), OperationResponse)
    with c.edit("web") as draft:
        assert_type(draft, InstanceBody)
        assert_type(draft["description"], str)
        assert_type(draft["profiles"], list[str])
        draft["config"]["limits.cpu"] = 2
        draft["devices"]["eth0"] = {"type": "nic"}
        del draft["devices"]["eth0"]
        draft["descripton"] = "d"  # type: ignore[typeddict-unknown-key]
        draft["description"] = 5  # type: ignore[typeddict-item]
    c.modify("web", lambda draft: draft["profiles"].append("a"), attempts=5)
    c.modify("web", lambda draft: draft["description"].nope())  # type: ignore[attr-defined]
    assert_type(web.update({"limits.cpu": 2}), OperationResponse)
    assert_type(web.replace(put), OperationResponse)
    assert_type(web.rename("www"), OperationResponse)
    assert_type(web.delete(wait=True), OperationResponse)
    with web.edit() as own:
        assert_type(own, InstanceBody)
    web.modify(lambda draft: draft["config"].pop("user.x", None))
    c.replace("web", {"descripton": "d"})  # type: ignore[typeddict-unknown-key]


def power(c: InstancesAPI, web: Instance) -> None:
    """The verbs that change the state."""
    assert_type(c.start("web", True, True), OperationResponse)
    assert_type(c.stop("web", True, False, True, timeout=5), OperationResponse)
    assert_type(c.stop("web", wait=True, timeout=None), OperationResponse)
    assert_type(c.restart("web", True, True, timeout=5), OperationResponse)
    assert_type(c.freeze("web", wait=True), OperationResponse)
    assert_type(c.unfreeze("web", True), OperationResponse)
    assert_type(web.start(wait=True), OperationResponse)
    assert_type(web.stop(True, False, True), OperationResponse)
    assert_type(web.restart(wait=True, timeout=5), OperationResponse)
    assert_type(web.freeze(), OperationResponse)
    assert_type(web.unfreeze(), OperationResponse)
    c.stop("web", True, False, 30)  # type: ignore[arg-type]
    c.stop("web", True, False, True, 30)  # type: ignore[call-arg]


def commands(c: InstancesAPI, web: Instance) -> None:
    """`execute`, and what an operation tells."""
    result = c.execute("web", ["echo", "Hello"], {"LANG": "C", "N": 5}, record_output=True, wait=True)
    assert_type(result, ExecResponse)
    assert_type(result.returncode, int | None)
    assert_type(result.stdout, str)
    assert_type(result.stderr_bytes, bytes)
    assert_type(web.execute(("ls",), cwd="/", user=1000), ExecResponse)
    assert_type(result.wait(5), ExecResponse)
    operation = web.start()
    assert_type(operation["metadata"], Any)
    assert_type(operation.id, str)
    assert_type(operation.done, bool)
    assert_type(operation.resources, dict[str, list[str]])
    assert_type(operation.progress, OperationProgress | None)
    assert_type(operation.wait(), OperationResponse)
    assert_type(operation.refresh(), OperationResponse)
    assert_type(operation.cancel(), OperationResponse)
    c.execute("web", ["ls"], user="root")  # type: ignore[arg-type]
    c.execute("web", ["ls"], {"A": None})  # type: ignore[dict-item]


def files(c: InstancesAPI, web: Instance) -> None:
    """Single files, and logs."""
    assert_type(c.get_files("web", "/etc/hosts"), bytes)
    assert_type(c.put_files("web", PurePosixPath("/etc/motd"), "Hello", uid=0, mode=0o644), OperationResponse)
    assert_type(c.get_logs("web"), dict[str, str])
    assert_type(web.get_files("/etc/hosts"), bytes)
    assert_type(web.put_files("/etc/motd", b"Hello", append=True), OperationResponse)
    assert_type(web.get_logs(), dict[str, str])
    c.put_files("web", "/etc/motd", 5)  # type: ignore[arg-type]
    c.put_files("web", "/etc/motd", b"", 0)  # type: ignore[call-arg]
