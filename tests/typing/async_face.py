"""What type checkers make of the asynchronous face. Nothing here is ever run: mypy and pyright read it."""

# What a line with an ignore holds has to be an error: both checkers complain about an ignore that they do not need.
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, assert_type

from incus_sdk import (
    APIClient,
    Certificate,
    Client,
    ClusterAPI,
    ClusterGroup,
    ClusterMember,
    CompletedProcess,
    Console,
    ExecResponse,
    GraphicalChannel,
    GraphicalConsole,
    Image,
    ImageAliasesAPI,
    ImageAliasesEntry,
    Instance,
    InstanceBackup,
    InstancesAPI,
    InstanceSnapshot,
    Network,
    NetworkACL,
    NetworkAddressSet,
    NetworkIntegration,
    NetworkZone,
    Operation,
    OperationResponse,
    Process,
    Project,
    RunOutcome,
    StorageBucket,
    StorageBucketBackup,
    StorageBucketKey,
    StorageBucketsAPI,
    StoragePool,
    StoragePoolsAPI,
    StorageVolume,
    StorageVolumeBackup,
    StorageVolumeBitmap,
    StorageVolumesAPI,
    StorageVolumeSnapshot,
    token_text,
)
from incus_sdk.api.warnings import Warning as ServerWarning
from incus_sdk.models import (
    AccessEntry,
    CertificateBody,
    Cluster,
    ClusterGroupBody,
    ClusterMemberBody,
    ClusterMemberState,
    FileStatus,
    ImageBody,
    ImageMetadata,
    ImageMetadataBody,
    InstanceBody,
    InstanceNVRAMVariable,
    InstanceNVRAMVariableBody,
    InstancePut,
    InstanceSnapshotBody,
    InstanceSnapshotData,
    InstanceSource,
    InstanceState,
    MetadataConfiguration,
    NetworkACLRule,
    NetworkACLRuleDict,
    NetworkAllocations,
    NetworkBody,
    NetworkForwardBody,
    NetworkForwardPort,
    NetworkLease,
    NetworkLoadBalancerState,
    NetworkState,
    NetworkZoneRecordEntry,
    ProjectBody,
    ProjectState,
    Resources,
    ResourcesStoragePool,
    Server,
    ServerBody,
    StorageBucketBody,
    StorageBucketKeyBody,
    StoragePoolBody,
    StorageVolumeBody,
    StorageVolumeSnapshotBody,
    StorageVolumeState,
)
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
    assert_type(web.snapshots, list[InstanceSnapshotData] | None)
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


async def networking(client: Client) -> None:
    """Networks, and what is below them."""
    networks = client.networks
    assert_type(await networks.list(filter={"managed": True}, all_projects=True), list[Network])
    assert_type(await networks.names(), list[str])
    assert_type(await networks.exists("br0"), bool)
    assert_type(await networks.state("br0"), NetworkState)
    assert_type(await networks.leases("br0"), list[NetworkLease])
    bridge = await networks.create("br0", type="bridge", config={"ipv4.nat": True}, description="d")
    assert_type(bridge, Network)
    assert_type(await bridge.state(), NetworkState)
    assert_type(await bridge.leases(), list[NetworkLease])
    assert_type(await bridge.refresh(), Network)
    async with bridge.edit() as draft:
        assert_type(draft, NetworkBody)
    await networks.create("br0", descripton="d")  # type: ignore[call-arg]
    await networks.update("br0", {"name": "br1"})  # type: ignore[typeddict-unknown-key]
    await networks.rename("br0", "br1")
    await bridge.replace({"config": {"ipv4.nat": None}})
    await bridge.delete()

    forwards = bridge.forwards()
    forward = await forwards.create("192.0.2.1", ports=[{"protocol": "tcp", "listen_port": "80"}])
    assert_type(forward.ports, list[NetworkForwardPort])
    assert_type([one.listen_address for one in await networks.forwards("br0").list(filter="x eq y")], list[str])
    async with forwards.edit("192.0.2.1") as forward_draft:
        assert_type(forward_draft, NetworkForwardBody)
    await forward.modify(lambda draft: draft["ports"].append({"listen_port": "81"}))
    await forwards.create("192.0.2.1", ports=[{"listen_prt": "80"}])  # type: ignore[typeddict-unknown-key]

    balancers = networks.load_balancers("br0")
    balancer = await balancers.create("192.0.2.5", backends=[{"name": "b"}], ports=[{"target_backend": ["b"]}])
    assert_type(await balancers.state("192.0.2.5"), NetworkLoadBalancerState)
    assert_type(await balancer.state(), NetworkLoadBalancerState)
    assert_type(await balancers.names(), list[str])

    peer = await networks.peers("br0").create("p", target_network="br1", type="local", description="d")
    assert_type(peer.status, str)
    await peer.update({"config": {"user.x": 1}})
    await bridge.peers().create("p", target_netwrk="br1")  # type: ignore[call-arg]
    assert_type(await client.network_allocations.list(all_projects=True), list[NetworkAllocations])


async def network_rules(client: Client, target: Path) -> None:
    """What is for networks, but beside them."""
    acl = await client.network_acls.create("a", ingress=[{"action": "allow", "state": "enabled"}])
    assert_type(acl, NetworkACL)
    assert_type(acl.ingress, list[NetworkACLRule])
    assert_type(await acl.log(), str)
    assert_type(await client.network_acls.download_log("a", target), int)
    async with acl.stream_log() as log:
        assert_type(await log.read(), bytes)
    async with client.network_acls.edit("a") as draft:
        assert_type(draft["egress"], list[NetworkACLRuleDict])
    await client.network_acls.create("a", ingress=[{"acton": "allow"}])  # type: ignore[typeddict-unknown-key]

    addresses = await client.network_address_sets.create("s", addresses=["192.0.2.0/24"])
    assert_type(addresses, NetworkAddressSet)
    assert_type(addresses.addresses, list[str])
    await addresses.rename("t")

    zone = await client.network_zones.create("example.net", config={"user.x": 1})
    assert_type(zone, NetworkZone)
    record = await zone.records().create("www", entries=[{"type": "A", "value": "192.0.2.1", "ttl": 60}])
    assert_type(record.entries, list[NetworkZoneRecordEntry])
    assert_type(await client.network_zones.records("example.net").names(), list[str])
    await record.update({"entries": [{"ttl": "60"}]})  # type: ignore[typeddict-item]

    integration = await client.network_integrations.create("i", type="ovn", config={"user.x": 1})
    assert_type(integration, NetworkIntegration)
    assert_type(await client.network_integrations.list(filter={"name": "i"}), list[NetworkIntegration])
    await integration.rename("j")


async def storage(c: StoragePoolsAPI, target: Path) -> None:
    """Pools, volumes and buckets."""
    pool = await c.create("p", "dir", config={"size": "1GiB"})
    assert_type(pool, StoragePool)
    assert_type(await c.list(filter={"driver": "dir"}), list[StoragePool])
    assert_type(await c.get("p"), StoragePool)
    assert_type(await c.names(), list[str])
    assert_type(await c.exists("p"), bool)
    assert_type(await c.resources("p"), ResourcesStoragePool)
    assert_type(await pool.resources(), ResourcesStoragePool)
    assert_type(await pool.refresh(), StoragePool)
    await c.update("p", {"description": "x"})
    await pool.replace({"config": {}})
    async with c.edit("p") as draft:
        assert_type(draft, StoragePoolBody)
    await pool.modify(lambda draft: draft["config"].clear())
    await pool.delete()
    await c.create("p", "dir", descripton="x")  # type: ignore[call-arg]
    assert_type(pool.volumes(), StorageVolumesAPI)
    assert_type(c.volumes("p", "container"), StorageVolumesAPI)
    assert_type(pool.buckets(), StorageBucketsAPI)
    assert_type(c.buckets("p"), StorageBucketsAPI)


async def volumes(c: StorageVolumesAPI, target: Path) -> None:
    """Volumes, and what is in them."""
    data = await c.create("data", description="x", content_type="block")
    assert_type(data, StorageVolume)
    assert_type(await c.create("data", {"type": "copy", "name": "x"}), OperationResponse)
    assert_type(await c.create("data", {"type": "copy", "name": "x"}, True), StorageVolume)
    assert_type(await c.list(all_types=True, full=True), list[StorageVolume])
    assert_type(await c.get("data", full=True), StorageVolume)
    assert_type(await data.refresh(True), StorageVolume)
    assert_type(await c.state("data"), StorageVolumeState)
    assert_type(await data.get_state(), StorageVolumeState)
    assert_type(data.state, StorageVolumeState | None)
    assert_type(await c.copy("data", "x", pool="q"), OperationResponse)
    assert_type(await c.copy("data", "x", wait=True), StorageVolume)
    assert_type(await data.copy(project="q"), OperationResponse)
    assert_type(await data.copy("x", wait=True, refresh=True), StorageVolume)
    assert_type(await c.move("data", pool="q"), OperationResponse)
    assert_type(await c.move("data", target="two"), OperationResponse)
    assert_type(await data.move("x", True), OperationResponse)
    assert_type(await c.migrate("data"), OperationResponse)
    assert_type(await data.migrate(volume_only=True), OperationResponse)
    assert_type(await c.rebuild("data", True), OperationResponse)
    assert_type(await data.rebuild(), OperationResponse)
    assert_type(await c.import_backup(target, "x"), OperationResponse)
    assert_type(await c.import_backup(b"x", wait=True), StorageVolume)
    assert_type(await c.import_iso("x", target), OperationResponse)
    assert_type(await c.import_iso("x", target, True), StorageVolume)
    await c.update("data", {"config": {"size": "1GiB"}})
    await data.replace({"description": "x"})
    async with data.edit() as draft:
        assert_type(draft, StorageVolumeBody)
    await c.modify("data", lambda draft: draft["config"].clear())
    await data.restore("x")
    await c.restore("data", "x")
    await c.snapshots("data").restore("x")
    before = await c.snapshots("data").get("x")
    assert_type(await before.restore(), None)
    await data.rename("x")
    await data.delete()
    assert_type(await c.get_files("data", "/x"), bytes)
    assert_type(await data.put_files("/x", "text"), OperationResponse)
    assert_type(await data.delete_files("/x", force=True), OperationResponse)
    assert_type(await c.stat_files("data", "/x"), FileStatus)
    async with await data.open_sftp() as stream:
        assert_type(await stream.read(5), bytes)
    async with await c.open_nbd("data", writable=True) as stream:
        await stream.write(b"x")
    await c.create("data", size="1GiB")  # type: ignore[call-overload]
    await c.update("data", {"descripton": "x"})  # type: ignore[typeddict-unknown-key]


async def parts_of_volumes(c: StorageVolumesAPI, target: Path) -> None:
    """Snapshots, backups and bitmaps."""
    snapshot = await c.snapshots("data").create("x", wait=True)
    assert_type(snapshot, StorageVolumeSnapshot)
    assert_type(await c.snapshots("data").create(), OperationResponse)
    assert_type(await c.snapshots("data").list(), list[StorageVolumeSnapshot])
    assert_type(await snapshot.rename("y", True), OperationResponse)
    assert_type(await snapshot.migrate(), OperationResponse)
    assert_type(await snapshot.delete(), OperationResponse)
    await snapshot.update({"description": "x"})
    async with snapshot.edit() as draft:
        assert_type(draft, StorageVolumeSnapshotBody)

    backups = c.backups("data")
    backup = await backups.create("x", wait=True, volume_only=True)
    assert_type(backup, StorageVolumeBackup)
    assert_type(await backups.create(), OperationResponse)
    assert_type(await backups.upload({"protocol": "s3"}, True), OperationResponse)
    assert_type(await backups.direct(target, compression_algorithm="zstd"), int)
    assert_type(await backup.export(target), int)
    assert_type(await backup.rename("y"), OperationResponse)
    async with backup.stream_export() as answer:
        assert_type(await answer.read(), bytes)
    async with backups.stream_direct() as answer:
        assert_type(answer.content_length, int | None)
    await backups.create(instance_only=True)  # type: ignore[call-overload]

    data = await c.get("data")
    assert_type(await data.get_snapshots(), list[StorageVolumeSnapshot])
    assert_type(await data.create_snapshot("x", "2031-01-01T00:00:00Z"), OperationResponse)
    assert_type(await data.create_snapshot(wait=True), StorageVolumeSnapshot)
    assert_type(await data.get_backups(), list[StorageVolumeBackup])
    assert_type(await data.create_backup("x", volume_only=True), OperationResponse)
    assert_type(await data.create_backup(wait=True), StorageVolumeBackup)
    assert_type(await data.upload_backup({"protocol": "s3"}, True), OperationResponse)
    assert_type(await data.direct_backup(target, compression_algorithm="zstd"), int)
    async with data.stream_direct_backup(volume_only=True) as answer:
        assert_type(await answer.read(), bytes)
    await data.create_backup(instance_only=True)  # type: ignore[call-overload]

    bitmap = await c.bitmaps("data").create("x", granularity=65536)
    assert_type(bitmap, StorageVolumeBitmap)
    assert_type(await c.bitmaps("data").list(), list[StorageVolumeBitmap])
    await bitmap.delete()


async def buckets(c: StorageBucketsAPI, target: Path) -> None:
    """Buckets, their keys and backups."""
    bucket = await c.create("photos", config={"size": "1GiB"})
    assert_type(bucket, StorageBucket)
    assert_type(await c.list(full=True, all_projects=True), list[StorageBucket])
    assert_type(await bucket.refresh(full=True), StorageBucket)
    assert_type(await c.import_backup(target), OperationResponse)
    assert_type(await c.import_backup(target, "x", wait=True), StorageBucket)
    await bucket.update({"description": "x"})
    async with bucket.edit() as draft:
        assert_type(draft, StorageBucketBody)
    await bucket.delete()
    assert_type(await bucket.get_keys(), list[StorageBucketKey])
    assert_type(await bucket.create_key("x", "admin", secret_key="x"), StorageBucketKey)
    assert_type(await bucket.get_backups(), list[StorageBucketBackup])
    assert_type(await bucket.create_backup("x"), OperationResponse)
    assert_type(await bucket.create_backup(wait=True), StorageBucketBackup)
    assert_type(await bucket.direct_backup(target, compression_algorithm="none"), int)
    async with bucket.stream_direct_backup() as answer:
        assert_type(answer.content_length, int | None)

    key = await c.keys("photos").create("x", "admin", secret_key="x")
    assert_type(key, StorageBucketKey)
    await key.update({"access-key": "x"})
    await key.update({"access_key": "x"})  # type: ignore[typeddict-unknown-key]
    async with key.edit() as own:
        assert_type(own, StorageBucketKeyBody)

    backup = await c.backups("photos").create(wait=True)
    assert_type(backup, StorageBucketBackup)
    assert_type(await c.backups("photos").create("x"), OperationResponse)
    assert_type(await c.backups("photos").direct(target), int)
    assert_type(await backup.export(target), int)


async def images_and_the_server(client: Client, image: Image, flag: bool) -> None:
    """Images, certificates, operations, warnings and the server."""
    images = client.images
    assert_type(await images.list(filter={"properties.os": "Debian"}, all_projects=True), list[Image])
    assert_type(await images.names(), list[str])
    assert_type(await images.get("ab", secret="s"), Image)
    assert_type(await images.get_by_alias("debian/13"), Image)
    assert_type(await images.exists("ab"), bool)
    assert_type(await images.create(b"", wait=True), Image)
    assert_type(await images.create(Path("x"), "x", True, rootfs=Path("y"), aliases=["a"]), OperationResponse)
    assert_type(await images.create(b"", wait=flag), OperationResponse | Image)
    assert_type(await images.create_from("images:debian/13", True, aliases=["a"], auto_update=True), Image)
    assert_type(await images.create_from({"type": "url", "url": "https://host"}), OperationResponse)
    assert_type(await images.create_from("images:debian/13", flag), OperationResponse | Image)
    assert_type(await images.create_from_url("https://host", "a", wait=True), Image)
    assert_type(await images.create_from_url("https://host", public=True), OperationResponse)
    assert_type(await images.publish("web/snapshot", True, format="split"), Image)
    assert_type(await images.publish("web"), OperationResponse)
    assert_type(await images.update("ab", {"public": True}), None)
    assert_type(await images.replace("ab", {"properties": {"os": "Debian"}}), None)
    async with images.edit("ab") as draft:
        assert_type(draft, ImageBody)
    assert_type(await images.modify("ab", lambda draft: draft["properties"].pop("x")), None)
    assert_type(await images.delete("ab", wait=True), OperationResponse)
    assert_type(await images.export("ab", "metadata", Path("rootfs"), secret="s"), int)
    async with images.stream_export("ab") as response:
        assert_type(response.content_length, int | None)
        assert_type(await response.read(), bytes)
    assert_type(await images.export_to("ab", "https://host:8443", "secret", True, aliases=["a"]), OperationResponse)
    assert_type(await images.refresh_from_source("ab", wait=True), OperationResponse)
    assert_type(await images.secret("ab"), OperationResponse)
    assert_type(await image.refresh(), Image)
    assert_type(await image.update({"public": True}), None)
    assert_type(await image.export("x"), int)
    assert_type(await image.delete(True), OperationResponse)
    assert_type(await image.add_alias("a", "d"), ImageAliasesEntry)
    assert_type(await image.remove_alias("a"), None)
    await images.create_from("images:debian/13", proprties={})  # type: ignore[call-overload]
    await images.create("ab", 5)  # type: ignore[call-overload]
    aliases = images.aliases
    assert_type(aliases, ImageAliasesAPI)
    assert_type(await aliases.list(), list[ImageAliasesEntry])
    assert_type(await aliases.create("a", "ab", "d", type="container"), ImageAliasesEntry)
    assert_type(await (await aliases.get("a")).update({"target": "cd"}), None)
    assert_type(await aliases.rename("a", "b"), None)
    assert_type(await aliases.delete("a"), None)
    async with aliases.edit("a") as alias:
        assert_type(alias["target"], str)
    assert_type(await images.get_alias("a"), ImageAliasesEntry)
    assert_type(await images.create_alias("a", "ab"), ImageAliasesEntry)
    assert_type(await images.update_alias("a", description="d"), None)
    assert_type(await images.delete_alias("a"), None)


async def trust_and_warnings(client: Client) -> None:
    """Certificates, operations, warnings and the server."""
    certificates = client.certificates
    assert_type(await certificates.list(filter={"type": "client"}), list[Certificate])
    assert_type(await certificates.create(Path("ci.crt"), "ci", restricted=True, projects=["ci"]), Certificate)
    assert_type(await certificates.create_token("ci", True, ["ci"]), OperationResponse)
    assert_type(token_text(await certificates.create_token("ci")), str)
    assert_type(await certificates.use_token("token"), None)
    assert_type(await certificates.get("ab"), Certificate)
    assert_type(await certificates.update("ab", {"name": "ci"}), None)
    assert_type(await certificates.replace("ab", {"name": "ci", "type": "client"}), None)
    assert_type(await certificates.modify("ab", lambda draft: draft["projects"].append("x")), None)
    assert_type(await certificates.delete("ab"), None)
    async with (await certificates.get("ab")).edit() as draft:
        assert_type(draft, CertificateBody)
    operations = client.operations
    assert_type(await operations.list(all_projects=True), list[Operation])
    assert_type(await operations.names(), list[str])
    operation = await operations.get("id")
    assert_type(operation, Operation)
    assert_type(await operations.wait("id", timeout=None), Operation)
    assert_type(await operations.cancel("id"), None)
    assert_type(await operations.delete("id"), None)
    assert_type(await operation.wait(5), Operation)
    assert_type(await operation.cancel(), None)
    assert_type(await (await operation.connect("secret")).recv(), str | bytes | bytearray)
    warnings = client.warnings
    assert_type(await warnings.list(filter={"status": "new"}), list[ServerWarning])
    warning = await warnings.get("uuid")
    assert_type(await warning.acknowledge(), None)
    assert_type(await warning.update({"status": "new"}), None)
    assert_type(await warnings.replace("uuid", {"status": "new"}), None)
    assert_type(await warnings.delete("uuid"), None)
    server = client.server
    assert_type(await server.get(), Server)
    assert_type(await server.update({"config": {"user.x": None}}), None)
    assert_type(await server.replace({"config": {}}), None)
    assert_type(await server.modify(lambda draft: draft["config"].pop("user.x", None)), None)
    async with server.edit() as body:
        assert_type(body, ServerBody)
    assert_type(await server.versions(), list[str])
    assert_type(await server.resources(), Resources)
    assert_type(await server.metadata_configuration(), MetadataConfiguration)
    assert_type(await server.metrics(), str)
    async with server.stream_metrics() as metrics:
        assert_type(await metrics.read(), bytes)
    events = await server.connect_events(["lifecycle"])
    assert_type(await events.recv(), str | bytes | bytearray)
    await server.update({"confg": {}})  # type: ignore[typeddict-unknown-key]


async def below_instances(c: InstancesAPI, web: Instance) -> None:
    """Snapshots, backups, and what else is below an instance."""
    snapshots = c.snapshots("web")
    assert_type(await snapshots.list(), list[InstanceSnapshot])
    assert_type(await snapshots.names(), list[str])
    assert_type(await snapshots.exists("s"), bool)
    snapshot = await snapshots.create("s", expires_at="2099-01-01T00:00:00Z", wait=True)
    assert_type(snapshot, InstanceSnapshot)
    assert_type(await snapshots.create(), OperationResponse)
    assert_type(await snapshots.get("s"), InstanceSnapshot)
    assert_type(await snapshots.update("s", {"expires_at": "2099-01-01T00:00:00Z"}), OperationResponse)
    assert_type(await snapshots.replace("s", {}, wait=True), OperationResponse)
    assert_type(await snapshots.rename("s", "t", True), OperationResponse)
    assert_type(await snapshots.restore("s", wait=True, disk_only=True), OperationResponse)
    assert_type(await snapshots.migrate("s", live=True), OperationResponse)
    assert_type(await snapshots.delete("s"), OperationResponse)
    async with snapshots.edit("s") as draft:
        assert_type(draft, InstanceSnapshotBody)
    await snapshots.modify("s", lambda draft: draft.update({"expires_at": ""}))
    assert_type(await snapshot.restore(True, True), OperationResponse)
    assert_type(await snapshot.refresh(), InstanceSnapshot)
    await snapshots.update("s", {"expiry": ""})  # type: ignore[typeddict-unknown-key]
    assert_type(await web.get_snapshots(), list[InstanceSnapshot])
    assert_type(await web.create_snapshot(wait=True), InstanceSnapshot)
    assert_type(await web.create_snapshot("s", True), OperationResponse)
    assert_type(await web.restore("s", wait=True), OperationResponse)
    backups = c.backups("web")
    assert_type(await backups.list(), list[InstanceBackup])
    assert_type(await backups.create(compression_algorithm="none"), OperationResponse)
    backup = await backups.create("b", instance_only=True, wait=True)
    assert_type(backup, InstanceBackup)
    assert_type(await backups.export("b", Path("b.tar.gz")), int)
    assert_type(await backup.export("b.tar.gz"), int)
    assert_type(await backups.direct("b.tar.gz", instance_only=True), int)
    assert_type(await backups.rename("b", "c"), OperationResponse)
    assert_type(await backup.delete(wait=True), OperationResponse)
    async with backups.stream_export("b") as stream:
        assert_type(await stream.read(), bytes)
    async with backups.stream_direct(root_only=True) as stream:
        assert_type(stream.content_length, int | None)
    assert_type(await web.get_backups(), list[InstanceBackup])
    assert_type(await web.create_backup(wait=True), InstanceBackup)
    assert_type(await web.direct_backup("b.tar.gz"), int)
    assert_type(await web.direct_backup(target=Path("b.tar.gz"), root_only=True), int)
    assert_type(await web.upload_backup({"protocol": "s3"}, True, instance_only=True), OperationResponse)
    assert_type(await backups.upload({"protocol": "s3"}), OperationResponse)
    await backups.upload({"protocl": "s3"})  # type: ignore[typeddict-unknown-key]
    await backups.create(target={"protocol": "s3"})  # type: ignore[call-overload]
    await backups.create(instanceonly=True)  # type: ignore[call-overload]
    assert_type(await c.import_backup(Path("b.tar.gz"), "web", wait=True), Instance)
    assert_type(await c.import_backup(b"", config={"user.x": 1}), OperationResponse)
    for files in (web.logs(), web.exec_output()):
        assert_type(await files.names(), list[str])
        assert_type(await files.read("lxc.log"), str)
        assert_type(await files.read_bytes("lxc.log"), bytes)
        assert_type(await files.download("lxc.log", "here.log"), int)
        assert_type(await files.delete("lxc.log"), None)
    metadata = web.metadata()
    assert_type(await metadata.get(), ImageMetadata)
    await metadata.update({"properties": {"x": "1"}})
    await metadata.replace({"expirydate": 5})  # type: ignore[typeddict-unknown-key]
    async with metadata.edit() as image:
        assert_type(image, ImageMetadataBody)
    await metadata.modify(lambda draft: draft["properties"].clear())
    templates = web.templates()
    assert_type(await templates.names(), list[str])
    assert_type(await templates.read("a.tpl"), str)
    assert_type(await templates.read_bytes("a.tpl"), bytes)
    await templates.write("a.tpl", "text")
    await templates.delete("a.tpl")


async def machines(c: InstancesAPI, web: Instance) -> None:
    """Moves, consoles, streams, and what is for virtual machines."""
    nvram = c.nvram("vm")
    assert_type(await nvram.guids(), list[str])
    assert_type(await nvram.names("g"), list[str])
    assert_type(await nvram.list("g"), dict[str, InstanceNVRAMVariable])
    assert_type(await nvram.list_all(), dict[str, dict[str, InstanceNVRAMVariable]])
    assert_type(await nvram.get("g", "Timeout"), InstanceNVRAMVariable)
    assert_type(await nvram.read("g", "Timeout"), bytes)
    await nvram.write("g", "Timeout", b"", attributes=["NON_VOLATILE"])
    await nvram.replace("g", "Timeout", {"data": 5})
    await nvram.update({"g": {"Timeout": None}})
    async with nvram.edit("g", "Timeout") as variable:
        assert_type(variable, InstanceNVRAMVariableBody)
    await nvram.modify("g", "Timeout", lambda draft: draft.update({"data": 5}))
    await nvram.delete("g", "Timeout")
    assert_type(await web.dump_memory("memory.elf"), int)
    async with web.stream_memory("elf") as memory:
        assert_type(await memory.read(5), bytes)
    await web.repair("rebuild-nvram")
    await web.repair("rebuild")  # type: ignore[arg-type]
    await web.create_bitmaps("b", granularity=65536)
    assert_type(await web.screenshot(), bytes)
    assert_type(await web.console_log(), str)
    assert_type(await web.clear_console_log(), None)
    assert_type(await web.attach_console("vga", force=True), OperationResponse)
    sftp = await web.open_sftp()
    assert_type(await sftp.readexactly(5), bytes)
    nbd = await web.open_nbd(reuse=True)
    assert_type(await nbd.read(), bytes)
    async with web.port_forward(80) as port:
        assert_type(await port.write(b""), None)
    async with web.console(columns=90, force=True) as console, c.console("web") as again:
        assert_type(console, Console)
        assert_type(await again.readline(), bytes)
        assert_type(await console.write(b""), None)
        assert_type(await console.resize(90, 20), None)
        assert_type(await console.detach(), None)
        async for line in console:
            assert_type(line, bytes)
    async with web.graphical_console() as screen:
        assert_type(screen, GraphicalConsole)
        async with await screen.open_channel() as channel:
            assert_type(channel, GraphicalChannel)
            assert_type(await channel.read(5), bytes)
    async for text in web.follow_console_log(interval=0.5):
        assert_type(text, str)
    assert_type(await web.console_shell(force=True), None)
    assert_type(await c.screenshot("web", Path("screen.png")), bytes)
    assert_type(await web.stat_files("/etc"), FileStatus)
    assert_type(await web.delete_files("/etc", force=True), OperationResponse)
    assert_type(await web.access(), list[AccessEntry])
    assert_type(await web.move("www", pool="ssd", wait=True), OperationResponse)
    assert_type(await c.move("web", project="shop", config={"user.x": 1}), OperationResponse)
    assert_type(await web.migrate(live=True), OperationResponse)
    assert_type(await web.migrate({"operation": "x"}, wait=True), OperationResponse)
    assert_type(await web.rebuild({"type": "none"}, wait=True), OperationResponse)
    assert_type(await c.change_all("stop", force=True, wait=True), OperationResponse)


async def projects(client: Client, project: Project) -> None:
    """Projects."""
    c = client.projects
    assert_type(await c.list(filter={"name": "shop"}), list[Project])
    assert_type(await c.names(), list[str])
    assert_type(await c.get("shop"), Project)
    assert_type(await c.exists("shop"), bool)
    assert_type(await c.create("shop", config={"features.images": False}, description="x"), Project)
    assert_type(await c.update("shop", {"description": "x"}), None)
    assert_type(await c.replace("shop", {"config": {}}), None)
    async with c.edit("shop") as draft:
        assert_type(draft, ProjectBody)
    assert_type(await c.modify("shop", lambda draft: draft["config"].update(a="b")), None)
    assert_type(await c.rename("shop", "store", wait=True), OperationResponse)
    assert_type(await c.delete("shop", force=True), None)
    assert_type(await c.state("shop"), ProjectState)
    assert_type(await project.access(), list[AccessEntry])
    assert_type(await project.rename("store"), OperationResponse)
    assert_type(await project.refresh(), Project)
    await c.create("shop", devices={})  # type: ignore[call-arg]
    await c.list(all_projects=True)  # type: ignore[call-arg]


async def clusters(c: ClusterAPI, member: ClusterMember) -> None:
    """Clusters, their members and groups."""
    assert_type(await c.get(), Cluster)
    assert_type(await c.enable("node1", wait=True), OperationResponse)
    assert_type(await c.join("node2", "a:1", "b:1", "PEM", "token", [{"key": "source"}]), OperationResponse)
    assert_type(await c.disable(), None)
    assert_type(await c.update_certificate("PEM", "PEM"), None)
    assert_type(await c.members.list(filter={"status": ["Online"]}), list[ClusterMember])
    assert_type(await c.members.names(), list[str])
    assert_type(await c.members.get("node1"), ClusterMember)
    assert_type(await c.members.create_token("node2"), OperationResponse)
    assert_type(await c.members.update("node1", {"groups": ["default"]}), None)
    async with member.edit() as draft:
        assert_type(draft, ClusterMemberBody)
    assert_type(await member.rename("node3"), None)
    assert_type(await member.delete(force=True, pending=False), None)
    assert_type(await member.state(), ClusterMemberState)
    assert_type(await member.evacuate("stop", wait=True), OperationResponse)
    assert_type(await c.members.restore("node1", wait=True), OperationResponse)
    assert_type(await c.groups.list(), list[ClusterGroup])
    assert_type(await c.groups.create("fast", members=["node1"]), ClusterGroup)
    async with c.groups.edit("fast") as group:
        assert_type(group, ClusterGroupBody)
    assert_type(await c.groups.rename("fast", "faster"), None)
    assert_type(await c.groups.delete("faster"), None)
    await c.members.list(filter="status eq online")  # type: ignore[arg-type]


async def processes(client: Client, web: Instance, flag: bool) -> None:
    """Output is bytes, unless text is asked for."""
    c = client.instances
    assert_type(await c.run("web", ["ls"], check=True, timeout=1.5, environment={"A": 1}), CompletedProcess[bytes])
    assert_type(await c.run("web", ("ls",), text=True, input=b"x"), CompletedProcess[str])
    assert_type(await c.run("web", ["ls"], encoding="latin-1", input="x"), CompletedProcess[str])
    assert_type(await c.run("web", ["ls"], text=flag), CompletedProcess[Any])
    assert_type(await web.run(["ls"], user=1000, cwd=PurePosixPath("/")), CompletedProcess[bytes])
    assert_type(await web.run(["ls"], text=True, capture=False), CompletedProcess[str])
    async with c.process("web", ["sh"], tty=True, columns=80, environment={"TERM": "xterm"}) as process:
        assert_type(process, Process)
        await process.stdin.write(b"exit 3")
        async for line in process.stdout:
            assert_type(line, bytes)
        assert_type(await process.wait(), int)
        assert_type(process.returncode, int | None)
    async with web.process(["cat"]) as process:
        assert_type(await process.communicate(b"x"), tuple[bytes, bytes])
    async with client.attach(await c.execute("web", ["cat"], wait_for_websocket=True)) as process:
        assert_type(await process.stdout.read(), bytes)
    async for outcome in c.run_many(["web", "db"], ["uptime"], limit=2, text=True):
        assert_type(outcome, RunOutcome)
        assert_type(outcome.ok, bool)

    assert_type(await c.shell("web"), int)
    assert_type(await c.shell("web", ["vi", "/etc/hosts"], tty=True, environment={"A": 1}, user=0, cwd="/"), int)
    assert_type(await web.shell(["top"], tty=None), int)

    await c.run("web", ["ls"], user="root")  # type: ignore[call-overload]
    await c.run("web", ["ls"], shell=True)  # type: ignore[call-overload]
    await c.shell("web", check=True)  # type: ignore[call-arg]
