"""What type checkers make of the synchronous face. Nothing here is ever run: mypy and pyright read it."""

# What a line with an ignore holds has to be an error: both checkers complain about an ignore that they do not need.
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, assert_type

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
from incus_sdk.sync import (
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
from incus_sdk.sync.api.warnings import Warning as ServerWarning


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
    assert_type(web.snapshots, list[InstanceSnapshotData] | None)
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


def networking(client: Client) -> None:
    """Networks, and what is below them."""
    networks = client.networks
    assert_type(networks.list(filter={"managed": True}, all_projects=True), list[Network])
    assert_type(networks.names(), list[str])
    assert_type(networks.exists("br0"), bool)
    assert_type(networks.state("br0"), NetworkState)
    assert_type(networks.leases("br0"), list[NetworkLease])
    bridge = networks.create("br0", type="bridge", config={"ipv4.nat": True}, description="d")
    assert_type(bridge, Network)
    assert_type(bridge.state(), NetworkState)
    assert_type(bridge.leases(), list[NetworkLease])
    assert_type(bridge.refresh(), Network)
    with bridge.edit() as draft:
        assert_type(draft, NetworkBody)
    networks.create("br0", descripton="d")  # type: ignore[call-arg]
    networks.update("br0", {"name": "br1"})  # type: ignore[typeddict-unknown-key]
    networks.rename("br0", "br1")
    bridge.replace({"config": {"ipv4.nat": None}})
    bridge.delete()

    forwards = bridge.forwards()
    forward = forwards.create("192.0.2.1", ports=[{"protocol": "tcp", "listen_port": "80"}])
    assert_type(forward.ports, list[NetworkForwardPort])
    assert_type([one.listen_address for one in networks.forwards("br0").list(filter="x eq y")], list[str])
    with forwards.edit("192.0.2.1") as forward_draft:
        assert_type(forward_draft, NetworkForwardBody)
    forward.modify(lambda draft: draft["ports"].append({"listen_port": "81"}))
    forwards.create("192.0.2.1", ports=[{"listen_prt": "80"}])  # type: ignore[typeddict-unknown-key]

    balancers = networks.load_balancers("br0")
    balancer = balancers.create("192.0.2.5", backends=[{"name": "b"}], ports=[{"target_backend": ["b"]}])
    assert_type(balancers.state("192.0.2.5"), NetworkLoadBalancerState)
    assert_type(balancer.state(), NetworkLoadBalancerState)
    assert_type(balancers.names(), list[str])

    peer = networks.peers("br0").create("p", target_network="br1", type="local", description="d")
    assert_type(peer.status, str)
    peer.update({"config": {"user.x": 1}})
    bridge.peers().create("p", target_netwrk="br1")  # type: ignore[call-arg]
    assert_type(client.network_allocations.list(all_projects=True), list[NetworkAllocations])


def network_rules(client: Client, target: Path) -> None:
    """What is for networks, but beside them."""
    acl = client.network_acls.create("a", ingress=[{"action": "allow", "state": "enabled"}])
    assert_type(acl, NetworkACL)
    assert_type(acl.ingress, list[NetworkACLRule])
    assert_type(acl.log(), str)
    assert_type(client.network_acls.download_log("a", target), int)
    with acl.stream_log() as log:
        assert_type(log.read(), bytes)
    with client.network_acls.edit("a") as draft:
        assert_type(draft["egress"], list[NetworkACLRuleDict])
    client.network_acls.create("a", ingress=[{"acton": "allow"}])  # type: ignore[typeddict-unknown-key]

    addresses = client.network_address_sets.create("s", addresses=["192.0.2.0/24"])
    assert_type(addresses, NetworkAddressSet)
    assert_type(addresses.addresses, list[str])
    addresses.rename("t")

    zone = client.network_zones.create("example.net", config={"user.x": 1})
    assert_type(zone, NetworkZone)
    record = zone.records().create("www", entries=[{"type": "A", "value": "192.0.2.1", "ttl": 60}])
    assert_type(record.entries, list[NetworkZoneRecordEntry])
    assert_type(client.network_zones.records("example.net").names(), list[str])
    record.update({"entries": [{"ttl": "60"}]})  # type: ignore[typeddict-item]

    integration = client.network_integrations.create("i", type="ovn", config={"user.x": 1})
    assert_type(integration, NetworkIntegration)
    assert_type(client.network_integrations.list(filter={"name": "i"}), list[NetworkIntegration])
    integration.rename("j")


def storage(c: StoragePoolsAPI, target: Path) -> None:
    """Pools, volumes and buckets."""
    pool = c.create("p", "dir", config={"size": "1GiB"})
    assert_type(pool, StoragePool)
    assert_type(c.list(filter={"driver": "dir"}), list[StoragePool])
    assert_type(c.get("p"), StoragePool)
    assert_type(c.names(), list[str])
    assert_type(c.exists("p"), bool)
    assert_type(c.resources("p"), ResourcesStoragePool)
    assert_type(pool.resources(), ResourcesStoragePool)
    assert_type(pool.refresh(), StoragePool)
    c.update("p", {"description": "x"})
    pool.replace({"config": {}})
    with c.edit("p") as draft:
        assert_type(draft, StoragePoolBody)
    pool.modify(lambda draft: draft["config"].clear())
    pool.delete()
    c.create("p", "dir", descripton="x")  # type: ignore[call-arg]
    assert_type(pool.volumes(), StorageVolumesAPI)
    assert_type(c.volumes("p", "container"), StorageVolumesAPI)
    assert_type(pool.buckets(), StorageBucketsAPI)
    assert_type(c.buckets("p"), StorageBucketsAPI)


def volumes(c: StorageVolumesAPI, target: Path) -> None:
    """Volumes, and what is in them."""
    data = c.create("data", description="x", content_type="block")
    assert_type(data, StorageVolume)
    assert_type(c.create("data", {"type": "copy", "name": "x"}), OperationResponse)
    assert_type(c.create("data", {"type": "copy", "name": "x"}, True), StorageVolume)
    assert_type(c.list(all_types=True, full=True), list[StorageVolume])
    assert_type(c.get("data", full=True), StorageVolume)
    assert_type(data.refresh(True), StorageVolume)
    assert_type(c.state("data"), StorageVolumeState)
    assert_type(data.get_state(), StorageVolumeState)
    assert_type(data.state, StorageVolumeState | None)
    assert_type(c.copy("data", "x", pool="q"), OperationResponse)
    assert_type(c.copy("data", "x", wait=True), StorageVolume)
    assert_type(data.copy(project="q"), OperationResponse)
    assert_type(data.copy("x", wait=True, refresh=True), StorageVolume)
    assert_type(c.move("data", pool="q"), OperationResponse)
    assert_type(c.move("data", target="two"), OperationResponse)
    assert_type(data.move("x", True), OperationResponse)
    assert_type(c.migrate("data"), OperationResponse)
    assert_type(data.migrate(volume_only=True), OperationResponse)
    assert_type(c.rebuild("data", True), OperationResponse)
    assert_type(data.rebuild(), OperationResponse)
    assert_type(c.import_backup(target, "x"), OperationResponse)
    assert_type(c.import_backup(b"x", wait=True), StorageVolume)
    assert_type(c.import_iso("x", target), OperationResponse)
    assert_type(c.import_iso("x", target, True), StorageVolume)
    c.update("data", {"config": {"size": "1GiB"}})
    data.replace({"description": "x"})
    with data.edit() as draft:
        assert_type(draft, StorageVolumeBody)
    c.modify("data", lambda draft: draft["config"].clear())
    data.restore("x")
    c.restore("data", "x")
    c.snapshots("data").restore("x")
    before = c.snapshots("data").get("x")
    assert_type(before.restore(), None)
    data.rename("x")
    data.delete()
    assert_type(c.get_files("data", "/x"), bytes)
    assert_type(data.put_files("/x", "text"), OperationResponse)
    assert_type(data.delete_files("/x", force=True), OperationResponse)
    assert_type(c.stat_files("data", "/x"), FileStatus)
    with data.open_sftp() as stream:
        assert_type(stream.read(5), bytes)
    with c.open_nbd("data", writable=True) as stream:
        stream.write(b"x")
    c.create("data", size="1GiB")  # type: ignore[call-overload]
    c.update("data", {"descripton": "x"})  # type: ignore[typeddict-unknown-key]


def parts_of_volumes(c: StorageVolumesAPI, target: Path) -> None:
    """Snapshots, backups and bitmaps."""
    snapshot = c.snapshots("data").create("x", wait=True)
    assert_type(snapshot, StorageVolumeSnapshot)
    assert_type(c.snapshots("data").create(), OperationResponse)
    assert_type(c.snapshots("data").list(), list[StorageVolumeSnapshot])
    assert_type(snapshot.rename("y", True), OperationResponse)
    assert_type(snapshot.migrate(), OperationResponse)
    assert_type(snapshot.delete(), OperationResponse)
    snapshot.update({"description": "x"})
    with snapshot.edit() as draft:
        assert_type(draft, StorageVolumeSnapshotBody)

    backups = c.backups("data")
    backup = backups.create("x", wait=True, volume_only=True)
    assert_type(backup, StorageVolumeBackup)
    assert_type(backups.create(), OperationResponse)
    assert_type(backups.upload({"protocol": "s3"}, True), OperationResponse)
    assert_type(backups.direct(target, compression_algorithm="zstd"), int)
    assert_type(backup.export(target), int)
    assert_type(backup.rename("y"), OperationResponse)
    with backup.stream_export() as answer:
        assert_type(answer.read(), bytes)
    with backups.stream_direct() as answer:
        assert_type(answer.content_length, int | None)
    backups.create(instance_only=True)  # type: ignore[call-overload]

    data = c.get("data")
    assert_type(data.get_snapshots(), list[StorageVolumeSnapshot])
    assert_type(data.create_snapshot("x", "2031-01-01T00:00:00Z"), OperationResponse)
    assert_type(data.create_snapshot(wait=True), StorageVolumeSnapshot)
    assert_type(data.get_backups(), list[StorageVolumeBackup])
    assert_type(data.create_backup("x", volume_only=True), OperationResponse)
    assert_type(data.create_backup(wait=True), StorageVolumeBackup)
    assert_type(data.upload_backup({"protocol": "s3"}, True), OperationResponse)
    assert_type(data.direct_backup(target, compression_algorithm="zstd"), int)
    with data.stream_direct_backup(volume_only=True) as answer:
        assert_type(answer.read(), bytes)
    data.create_backup(instance_only=True)  # type: ignore[call-overload]

    bitmap = c.bitmaps("data").create("x", granularity=65536)
    assert_type(bitmap, StorageVolumeBitmap)
    assert_type(c.bitmaps("data").list(), list[StorageVolumeBitmap])
    bitmap.delete()


def buckets(c: StorageBucketsAPI, target: Path) -> None:
    """Buckets, their keys and backups."""
    bucket = c.create("photos", config={"size": "1GiB"})
    assert_type(bucket, StorageBucket)
    assert_type(c.list(full=True, all_projects=True), list[StorageBucket])
    assert_type(bucket.refresh(full=True), StorageBucket)
    assert_type(c.import_backup(target), OperationResponse)
    assert_type(c.import_backup(target, "x", wait=True), StorageBucket)
    bucket.update({"description": "x"})
    with bucket.edit() as draft:
        assert_type(draft, StorageBucketBody)
    bucket.delete()
    assert_type(bucket.get_keys(), list[StorageBucketKey])
    assert_type(bucket.create_key("x", "admin", secret_key="x"), StorageBucketKey)
    assert_type(bucket.get_backups(), list[StorageBucketBackup])
    assert_type(bucket.create_backup("x"), OperationResponse)
    assert_type(bucket.create_backup(wait=True), StorageBucketBackup)
    assert_type(bucket.direct_backup(target, compression_algorithm="none"), int)
    with bucket.stream_direct_backup() as answer:
        assert_type(answer.content_length, int | None)

    key = c.keys("photos").create("x", "admin", secret_key="x")
    assert_type(key, StorageBucketKey)
    key.update({"access-key": "x"})
    key.update({"access_key": "x"})  # type: ignore[typeddict-unknown-key]
    with key.edit() as own:
        assert_type(own, StorageBucketKeyBody)

    backup = c.backups("photos").create(wait=True)
    assert_type(backup, StorageBucketBackup)
    assert_type(c.backups("photos").create("x"), OperationResponse)
    assert_type(c.backups("photos").direct(target), int)
    assert_type(backup.export(target), int)


def images_and_the_server(client: Client, image: Image, flag: bool) -> None:
    """Images, certificates, operations, warnings and the server."""
    images = client.images
    assert_type(images.list(filter={"properties.os": "Debian"}, all_projects=True), list[Image])
    assert_type(images.names(), list[str])
    assert_type(images.get("ab", secret="s"), Image)
    assert_type(images.get_by_alias("debian/13"), Image)
    assert_type(images.exists("ab"), bool)
    assert_type(images.create(b"", wait=True), Image)
    assert_type(images.create(Path("x"), "x", True, rootfs=Path("y"), aliases=["a"]), OperationResponse)
    assert_type(images.create(b"", wait=flag), OperationResponse | Image)
    assert_type(images.create_from("images:debian/13", True, aliases=["a"], auto_update=True), Image)
    assert_type(images.create_from({"type": "url", "url": "https://host"}), OperationResponse)
    assert_type(images.create_from("images:debian/13", flag), OperationResponse | Image)
    assert_type(images.create_from_url("https://host", "a", wait=True), Image)
    assert_type(images.create_from_url("https://host", public=True), OperationResponse)
    assert_type(images.publish("web/snapshot", True, format="split"), Image)
    assert_type(images.publish("web"), OperationResponse)
    assert_type(images.update("ab", {"public": True}), None)
    assert_type(images.replace("ab", {"properties": {"os": "Debian"}}), None)
    with images.edit("ab") as draft:
        assert_type(draft, ImageBody)
    assert_type(images.modify("ab", lambda draft: draft["properties"].pop("x")), None)
    assert_type(images.delete("ab", wait=True), OperationResponse)
    assert_type(images.export("ab", "metadata", Path("rootfs"), secret="s"), int)
    with images.stream_export("ab") as response:
        assert_type(response.content_length, int | None)
        assert_type(response.read(), bytes)
    assert_type(images.export_to("ab", "https://host:8443", "secret", True, aliases=["a"]), OperationResponse)
    assert_type(images.refresh_from_source("ab", wait=True), OperationResponse)
    assert_type(images.secret("ab"), OperationResponse)
    assert_type(image.refresh(), Image)
    assert_type(image.update({"public": True}), None)
    assert_type(image.export("x"), int)
    assert_type(image.delete(True), OperationResponse)
    assert_type(image.add_alias("a", "d"), ImageAliasesEntry)
    assert_type(image.remove_alias("a"), None)
    images.create_from("images:debian/13", proprties={})  # type: ignore[call-overload]
    images.create("ab", 5)  # type: ignore[call-overload]
    aliases = images.aliases
    assert_type(aliases, ImageAliasesAPI)
    assert_type(aliases.list(), list[ImageAliasesEntry])
    assert_type(aliases.create("a", "ab", "d", type="container"), ImageAliasesEntry)
    assert_type(aliases.get("a").update({"target": "cd"}), None)
    assert_type(aliases.rename("a", "b"), None)
    assert_type(aliases.delete("a"), None)
    with aliases.edit("a") as alias:
        assert_type(alias["target"], str)
    assert_type(images.get_alias("a"), ImageAliasesEntry)
    assert_type(images.create_alias("a", "ab"), ImageAliasesEntry)
    assert_type(images.update_alias("a", description="d"), None)
    assert_type(images.delete_alias("a"), None)


def trust_and_warnings(client: Client) -> None:
    """Certificates, operations, warnings and the server."""
    certificates = client.certificates
    assert_type(certificates.list(filter={"type": "client"}), list[Certificate])
    assert_type(certificates.create(Path("ci.crt"), "ci", restricted=True, projects=["ci"]), Certificate)
    assert_type(certificates.create_token("ci", True, ["ci"]), OperationResponse)
    assert_type(token_text(certificates.create_token("ci")), str)
    assert_type(certificates.use_token("token"), None)
    assert_type(certificates.get("ab"), Certificate)
    assert_type(certificates.update("ab", {"name": "ci"}), None)
    assert_type(certificates.replace("ab", {"name": "ci", "type": "client"}), None)
    assert_type(certificates.modify("ab", lambda draft: draft["projects"].append("x")), None)
    assert_type(certificates.delete("ab"), None)
    with certificates.get("ab").edit() as draft:
        assert_type(draft, CertificateBody)
    operations = client.operations
    assert_type(operations.list(all_projects=True), list[Operation])
    assert_type(operations.names(), list[str])
    operation = operations.get("id")
    assert_type(operation, Operation)
    assert_type(operations.wait("id", timeout=None), Operation)
    assert_type(operations.cancel("id"), None)
    assert_type(operations.delete("id"), None)
    assert_type(operation.wait(5), Operation)
    assert_type(operation.cancel(), None)
    assert_type(operation.connect("secret").recv(), str | bytes | bytearray)
    warnings = client.warnings
    assert_type(warnings.list(filter={"status": "new"}), list[ServerWarning])
    warning = warnings.get("uuid")
    assert_type(warning.acknowledge(), None)
    assert_type(warning.update({"status": "new"}), None)
    assert_type(warnings.replace("uuid", {"status": "new"}), None)
    assert_type(warnings.delete("uuid"), None)
    server = client.server
    assert_type(server.get(), Server)
    assert_type(server.update({"config": {"user.x": None}}), None)
    assert_type(server.replace({"config": {}}), None)
    assert_type(server.modify(lambda draft: draft["config"].pop("user.x", None)), None)
    with server.edit() as body:
        assert_type(body, ServerBody)
    assert_type(server.versions(), list[str])
    assert_type(server.resources(), Resources)
    assert_type(server.metadata_configuration(), MetadataConfiguration)
    assert_type(server.metrics(), str)
    with server.stream_metrics() as metrics:
        assert_type(metrics.read(), bytes)
    events = server.connect_events(["lifecycle"])
    assert_type(events.recv(), str | bytes | bytearray)
    server.update({"confg": {}})  # type: ignore[typeddict-unknown-key]


def below_instances(c: InstancesAPI, web: Instance) -> None:
    """Snapshots, backups, and what else is below an instance."""
    snapshots = c.snapshots("web")
    assert_type(snapshots.list(), list[InstanceSnapshot])
    assert_type(snapshots.names(), list[str])
    assert_type(snapshots.exists("s"), bool)
    snapshot = snapshots.create("s", expires_at="2099-01-01T00:00:00Z", wait=True)
    assert_type(snapshot, InstanceSnapshot)
    assert_type(snapshots.create(), OperationResponse)
    assert_type(snapshots.get("s"), InstanceSnapshot)
    assert_type(snapshots.update("s", {"expires_at": "2099-01-01T00:00:00Z"}), OperationResponse)
    assert_type(snapshots.replace("s", {}, wait=True), OperationResponse)
    assert_type(snapshots.rename("s", "t", True), OperationResponse)
    assert_type(snapshots.restore("s", wait=True, disk_only=True), OperationResponse)
    assert_type(snapshots.migrate("s", live=True), OperationResponse)
    assert_type(snapshots.delete("s"), OperationResponse)
    with snapshots.edit("s") as draft:
        assert_type(draft, InstanceSnapshotBody)
    snapshots.modify("s", lambda draft: draft.update({"expires_at": ""}))
    assert_type(snapshot.restore(True, True), OperationResponse)
    assert_type(snapshot.refresh(), InstanceSnapshot)
    snapshots.update("s", {"expiry": ""})  # type: ignore[typeddict-unknown-key]
    assert_type(web.get_snapshots(), list[InstanceSnapshot])
    assert_type(web.create_snapshot(wait=True), InstanceSnapshot)
    assert_type(web.create_snapshot("s", True), OperationResponse)
    assert_type(web.restore("s", wait=True), OperationResponse)
    backups = c.backups("web")
    assert_type(backups.list(), list[InstanceBackup])
    assert_type(backups.create(compression_algorithm="none"), OperationResponse)
    backup = backups.create("b", instance_only=True, wait=True)
    assert_type(backup, InstanceBackup)
    assert_type(backups.export("b", Path("b.tar.gz")), int)
    assert_type(backup.export("b.tar.gz"), int)
    assert_type(backups.direct("b.tar.gz", instance_only=True), int)
    assert_type(backups.rename("b", "c"), OperationResponse)
    assert_type(backup.delete(wait=True), OperationResponse)
    with backups.stream_export("b") as stream:
        assert_type(stream.read(), bytes)
    with backups.stream_direct(root_only=True) as stream:
        assert_type(stream.content_length, int | None)
    assert_type(web.get_backups(), list[InstanceBackup])
    assert_type(web.create_backup(wait=True), InstanceBackup)
    assert_type(web.direct_backup("b.tar.gz"), int)
    assert_type(web.direct_backup(target=Path("b.tar.gz"), root_only=True), int)
    assert_type(web.upload_backup({"protocol": "s3"}, True, instance_only=True), OperationResponse)
    assert_type(backups.upload({"protocol": "s3"}), OperationResponse)
    backups.upload({"protocl": "s3"})  # type: ignore[typeddict-unknown-key]
    backups.create(target={"protocol": "s3"})  # type: ignore[call-overload]
    backups.create(instanceonly=True)  # type: ignore[call-overload]
    assert_type(c.import_backup(Path("b.tar.gz"), "web", wait=True), Instance)
    assert_type(c.import_backup(b"", config={"user.x": 1}), OperationResponse)
    for files in (web.logs(), web.exec_output()):
        assert_type(files.names(), list[str])
        assert_type(files.read("lxc.log"), str)
        assert_type(files.read_bytes("lxc.log"), bytes)
        assert_type(files.download("lxc.log", "here.log"), int)
        assert_type(files.delete("lxc.log"), None)
    metadata = web.metadata()
    assert_type(metadata.get(), ImageMetadata)
    metadata.update({"properties": {"x": "1"}})
    metadata.replace({"expirydate": 5})  # type: ignore[typeddict-unknown-key]
    with metadata.edit() as image:
        assert_type(image, ImageMetadataBody)
    metadata.modify(lambda draft: draft["properties"].clear())
    templates = web.templates()
    assert_type(templates.names(), list[str])
    assert_type(templates.read("a.tpl"), str)
    assert_type(templates.read_bytes("a.tpl"), bytes)
    templates.write("a.tpl", "text")
    templates.delete("a.tpl")


def machines(c: InstancesAPI, web: Instance) -> None:
    """Moves, consoles, streams, and what is for virtual machines."""
    nvram = c.nvram("vm")
    assert_type(nvram.guids(), list[str])
    assert_type(nvram.names("g"), list[str])
    assert_type(nvram.list("g"), dict[str, InstanceNVRAMVariable])
    assert_type(nvram.list_all(), dict[str, dict[str, InstanceNVRAMVariable]])
    assert_type(nvram.get("g", "Timeout"), InstanceNVRAMVariable)
    assert_type(nvram.read("g", "Timeout"), bytes)
    nvram.write("g", "Timeout", b"", attributes=["NON_VOLATILE"])
    nvram.replace("g", "Timeout", {"data": 5})
    nvram.update({"g": {"Timeout": None}})
    with nvram.edit("g", "Timeout") as variable:
        assert_type(variable, InstanceNVRAMVariableBody)
    nvram.modify("g", "Timeout", lambda draft: draft.update({"data": 5}))
    nvram.delete("g", "Timeout")
    assert_type(web.dump_memory("memory.elf"), int)
    with web.stream_memory("elf") as memory:
        assert_type(memory.read(5), bytes)
    web.repair("rebuild-nvram")
    web.repair("rebuild")  # type: ignore[arg-type]
    web.create_bitmaps("b", granularity=65536)
    assert_type(web.screenshot(), bytes)
    assert_type(web.console_log(), str)
    assert_type(web.clear_console_log(), None)
    assert_type(web.attach_console("vga", force=True), OperationResponse)
    sftp = web.open_sftp()
    assert_type(sftp.readexactly(5), bytes)
    nbd = web.open_nbd(reuse=True)
    assert_type(nbd.read(), bytes)
    with web.port_forward(80) as port:
        assert_type(port.write(b""), None)
    with web.console(columns=90, force=True) as console, c.console("web") as again:
        assert_type(console, Console)
        assert_type(again.readline(), bytes)
        assert_type(console.write(b""), None)
        assert_type(console.resize(90, 20), None)
        assert_type(console.detach(), None)
        for line in console:
            assert_type(line, bytes)
    with web.graphical_console() as screen:
        assert_type(screen, GraphicalConsole)
        with screen.open_channel() as channel:
            assert_type(channel, GraphicalChannel)
            assert_type(channel.read(5), bytes)
    for text in web.follow_console_log(interval=0.5):
        assert_type(text, str)
    assert_type(web.console_shell(force=True), None)
    assert_type(c.screenshot("web", Path("screen.png")), bytes)
    assert_type(web.stat_files("/etc"), FileStatus)
    assert_type(web.delete_files("/etc", force=True), OperationResponse)
    assert_type(web.access(), list[AccessEntry])
    assert_type(web.move("www", pool="ssd", wait=True), OperationResponse)
    assert_type(c.move("web", project="shop", config={"user.x": 1}), OperationResponse)
    assert_type(web.migrate(live=True), OperationResponse)
    assert_type(web.migrate({"operation": "x"}, wait=True), OperationResponse)
    assert_type(web.rebuild({"type": "none"}, wait=True), OperationResponse)
    assert_type(c.change_all("stop", force=True, wait=True), OperationResponse)


def projects(client: Client, project: Project) -> None:
    """Projects."""
    c = client.projects
    assert_type(c.list(filter={"name": "shop"}), list[Project])
    assert_type(c.names(), list[str])
    assert_type(c.get("shop"), Project)
    assert_type(c.exists("shop"), bool)
    assert_type(c.create("shop", config={"features.images": False}, description="x"), Project)
    assert_type(c.update("shop", {"description": "x"}), None)
    assert_type(c.replace("shop", {"config": {}}), None)
    with c.edit("shop") as draft:
        assert_type(draft, ProjectBody)
    assert_type(c.modify("shop", lambda draft: draft["config"].update(a="b")), None)
    assert_type(c.rename("shop", "store", wait=True), OperationResponse)
    assert_type(c.delete("shop", force=True), None)
    assert_type(c.state("shop"), ProjectState)
    assert_type(project.access(), list[AccessEntry])
    assert_type(project.rename("store"), OperationResponse)
    assert_type(project.refresh(), Project)
    c.create("shop", devices={})  # type: ignore[call-arg]
    c.list(all_projects=True)  # type: ignore[call-arg]


def clusters(c: ClusterAPI, member: ClusterMember) -> None:
    """Clusters, their members and groups."""
    assert_type(c.get(), Cluster)
    assert_type(c.enable("node1", wait=True), OperationResponse)
    assert_type(c.join("node2", "a:1", "b:1", "PEM", "token", [{"key": "source"}]), OperationResponse)
    assert_type(c.disable(), None)
    assert_type(c.update_certificate("PEM", "PEM"), None)
    assert_type(c.members.list(filter={"status": ["Online"]}), list[ClusterMember])
    assert_type(c.members.names(), list[str])
    assert_type(c.members.get("node1"), ClusterMember)
    assert_type(c.members.create_token("node2"), OperationResponse)
    assert_type(c.members.update("node1", {"groups": ["default"]}), None)
    with member.edit() as draft:
        assert_type(draft, ClusterMemberBody)
    assert_type(member.rename("node3"), None)
    assert_type(member.delete(force=True, pending=False), None)
    assert_type(member.state(), ClusterMemberState)
    assert_type(member.evacuate("stop", wait=True), OperationResponse)
    assert_type(c.members.restore("node1", wait=True), OperationResponse)
    assert_type(c.groups.list(), list[ClusterGroup])
    assert_type(c.groups.create("fast", members=["node1"]), ClusterGroup)
    with c.groups.edit("fast") as group:
        assert_type(group, ClusterGroupBody)
    assert_type(c.groups.rename("fast", "faster"), None)
    assert_type(c.groups.delete("faster"), None)
    c.members.list(filter="status eq online")  # type: ignore[arg-type]


def processes(client: Client, web: Instance, flag: bool) -> None:
    """Output is bytes, unless text is asked for."""
    c = client.instances
    assert_type(c.run("web", ["ls"], check=True, timeout=1.5, environment={"A": 1}), CompletedProcess[bytes])
    assert_type(c.run("web", ("ls",), text=True, input=b"x"), CompletedProcess[str])
    assert_type(c.run("web", ["ls"], encoding="latin-1", input="x"), CompletedProcess[str])
    assert_type(c.run("web", ["ls"], text=flag), CompletedProcess[Any])
    assert_type(web.run(["ls"], user=1000, cwd=PurePosixPath("/")), CompletedProcess[bytes])
    assert_type(web.run(["ls"], text=True, capture=False), CompletedProcess[str])
    with c.process("web", ["sh"], tty=True, columns=80, environment={"TERM": "xterm"}) as process:
        assert_type(process, Process)
        process.stdin.write(b"exit 3")
        for line in process.stdout:
            assert_type(line, bytes)
        assert_type(process.wait(), int)
        assert_type(process.returncode, int | None)
    with web.process(["cat"]) as process:
        assert_type(process.communicate(b"x"), tuple[bytes, bytes])
    with client.attach(c.execute("web", ["cat"], wait_for_websocket=True)) as process:
        assert_type(process.stdout.read(), bytes)
    for outcome in c.run_many(["web", "db"], ["uptime"], limit=2, text=True):
        assert_type(outcome, RunOutcome)
        assert_type(outcome.ok, bool)

    assert_type(c.shell("web"), int)
    assert_type(c.shell("web", ["vi", "/etc/hosts"], tty=True, environment={"A": 1}, user=0, cwd="/"), int)
    assert_type(web.shell(["top"], tty=None), int)

    c.run("web", ["ls"], user="root")  # type: ignore[call-overload]
    c.run("web", ["ls"], shell=True)  # type: ignore[call-overload]
    c.shell("web", check=True)  # type: ignore[call-arg]
