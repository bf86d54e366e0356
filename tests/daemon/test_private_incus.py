"""A private daemon comes up, does its work beside others, and is gone without a trace however it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from incus_sdk.testing import PrivateIncus, PrivateIncusError
from incus_sdk.testing._http import UnixAPI
from incus_sdk.testing._image import build_image

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

# There is a 7.0 variant only where a root file system of 7.0 is at hand: `./dev` builds one and says here where it is.
_ROOTS: dict[str, str | None] = {"machine": None}
if "INCUS_SDK_ROOTFS_7_0" in os.environ:
    _ROOTS["7.0"] = os.environ["INCUS_SDK_ROOTFS_7_0"]

_OWNER = """
import sys, time
from incus_sdk.testing import PrivateIncus
with PrivateIncus(https=True) as daemon:
    print(daemon.directory, flush=True)
    {body}
"""


@pytest.fixture(scope="module", params=_ROOTS)
def daemon(request: pytest.FixtureRequest) -> Iterator[PrivateIncus]:
    with PrivateIncus(rootfs=_ROOTS[request.param], https=True) as started:
        yield started
    assert not traces(started.directory)


# What a daemon does


def test_server_is_set_up(daemon: PrivateIncus) -> None:
    api = UnixAPI(daemon.socket)
    server = api.request("GET", "/1.0")
    assert server["environment"]["server_version"] == daemon.version
    assert server["config"]["images.auto_update_interval"] == "0"
    assert api.request("GET", "/1.0/storage-pools/default")["driver"] == "dir"
    assert set(api.request("GET", "/1.0/profiles/default")["devices"]) == {"root", "eth0"}
    assert daemon.endpoint == f"unix://{daemon.socket}"
    assert "Daemon started" in daemon.log.read_text()


def test_first_container_is_unprivileged_and_gets_an_address(daemon: PrivateIncus) -> None:
    api = UnixAPI(daemon.socket)
    with container(api, "addressed"):
        instance = api.request("GET", "/1.0/instances/addressed")
        address = wait_for_address(api, "addressed")
        assert address.startswith("10.158.0.")
        assert json.loads(instance["config"]["volatile.idmap.current"])[0]["Hostid"] > 0


def test_image_has_a_shell_and_users(daemon: PrivateIncus) -> None:
    api = UnixAPI(daemon.socket)
    script = "id -un; grep -c . /etc/passwd; test -u /bin/busybox || ls /bin/vi; cat /etc/hostname"
    with container(api, "shell"):
        ran = subprocess.run(
            ["incus", "exec", "shell", "--user=1000", "--", "sh", "-c", script],
            env=os.environ | daemon.environ(),
            capture_output=True,
            text=True,
            check=True,
        )
    assert ran.stdout.split() == ["user", "3", "/bin/vi", "shell"]


def test_https_serves_the_trusted_certificate(daemon: PrivateIncus) -> None:
    assert https_server_info(daemon, daemon.client_cert)["auth"] == "trusted"
    assert https_server_info(daemon, None)["auth"] == "untrusted"


def test_gateway_leads_to_this_machine(daemon: PrivateIncus) -> None:
    with socket.create_server((daemon.gateway, 0)) as server:
        enter = ["nsenter", "--target", str(daemon.pid), "--net"]
        port = str(server.getsockname()[1])
        with subprocess.Popen([*enter, "busybox", "nc", daemon.gateway, port], stdin=subprocess.DEVNULL):
            peer, (address, _) = server.accept()
            peer.close()
    assert f"https://{address}:8443" == daemon.https


@pytest.mark.parametrize("fault", ["kill_daemon", "restart", "hold"])
def test_containers_outlive_the_daemon(daemon: PrivateIncus, fault: str) -> None:
    api = UnixAPI(daemon.socket)
    with container(api, "survivor"):
        before = api.request("GET", "/1.0/instances/survivor/state")["pid"]
        getattr(daemon, fault)()
        if fault == "hold":
            with pytest.raises(ConnectionRefusedError):
                api.request("GET", "/1.0")
            daemon.resume()
        daemon.wait_ready()
        state = api.request("GET", "/1.0/instances/survivor/state")
        assert (state["status"], state["pid"]) == ("Running", before)


def test_shutdown_over_the_api_is_no_crash(daemon: PrivateIncus) -> None:
    UnixAPI(daemon.socket).request("PUT", "/internal/shutdown")
    with pytest.raises(PrivateIncusError, match="exit status was 0"):
        wait_for_failure(daemon)
    daemon.resume()
    assert UnixAPI(daemon.socket).request("GET", "/1.0")["auth"] == "trusted"


def test_daemon_that_cannot_come_up_is_quoted() -> None:
    with PrivateIncus(network=False, image=False) as daemon:
        daemon.hold()
        with pytest.raises(PrivateIncusError, match="exit status was -9"):
            daemon.wait_ready()
        (daemon.directory / "database" / "local.db").write_bytes(b"no database" * 1000)
        with pytest.raises(PrivateIncusError, match=r"(?s)exit status was 1\n.*incusd\.log:.*not a database"):
            daemon.resume()


def test_btrfs_pool_and_its_loop_device() -> None:
    with PrivateIncus(driver="btrfs", network=False) as daemon:
        assert UnixAPI(daemon.socket).request("GET", "/1.0/storage-pools/default")["driver"] == "btrfs"
        assert any(trace.startswith("loop device") for trace in traces(daemon.directory))
        with container(UnixAPI(daemon.socket), "c1"):
            pass
    assert not traces(daemon.directory)


def test_several_at_once_do_not_meet() -> None:
    def use(_: int) -> tuple[Path, str]:
        with PrivateIncus(https=True) as daemon, container(UnixAPI(daemon.socket), "c1"):
            wait_for_address(UnixAPI(daemon.socket), "c1")
            return daemon.directory, daemon.https

    with ThreadPoolExecutor(3) as pool:
        used = list(pool.map(use, range(3)))
    assert len({https for _, https in used}) == 3
    assert [traces(directory) for directory, _ in used] == [[], [], []]


# How it ends


def test_traces_are_seen_while_it_runs() -> None:
    """The other tests' "no traces" is worth something only if there are some to see."""
    with PrivateIncus(https=True) as daemon, container(UnixAPI(daemon.socket), "c1"):
        kinds = {trace.partition(":")[0] for trace in traces(daemon.directory)}
        assert kinds == {"folder", "process", "mount", "control group", "network link"}
    assert not traces(daemon.directory)


async def test_async_context() -> None:
    async with PrivateIncus(network=False, image=False) as daemon:
        assert UnixAPI(daemon.socket).ready()
    assert not traces(daemon.directory)


@pytest.mark.parametrize("moment", [0.0, 0.1, 0.4])
async def test_cancelled_start_leaves_nothing(moment: float) -> None:
    daemon = PrivateIncus()

    async def use() -> None:
        async with daemon:
            await asyncio.Event().wait()

    task = asyncio.create_task(use())
    await asyncio.sleep(moment)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # At the first moment it may not even have chosen a folder.
    with contextlib.suppress(PrivateIncusError):
        assert not traces(daemon.directory)


def test_error_in_the_body_comes_through() -> None:
    daemon = PrivateIncus(network=False, image=False)
    with pytest.raises(ZeroDivisionError), daemon:
        _ = 1 / 0
    assert not traces(daemon.directory)
    daemon.stop()  # once more does no harm


def test_can_be_started_again() -> None:
    daemon = PrivateIncus(network=False, image=False)
    folders: set[Path] = set()
    for _ in range(2):
        with daemon:
            folders.add(daemon.directory)
            with pytest.raises(PrivateIncusError, match="running already"):
                daemon.start()
    assert len(folders) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_owner_ends_by_signal(number: signal.Signals) -> None:
    with owner("time.sleep(600)") as (process, directory):
        start_container(UnixAPI(f"{directory}/unix.socket"), "c1")
        supervisor = supervisor_of(directory)
        process.send_signal(number)
        process.wait(timeout=10)
        await_end(supervisor)
        assert not traces(directory)


def test_owner_is_killed_while_its_child_lives() -> None:
    """A forked child holds all of the owner's descriptors: none of them closes when the owner dies."""
    body = "import os; print(os.fork() or time.sleep(600), flush=True); time.sleep(600)"
    with owner(body) as (process, directory):
        assert process.stdout
        child = int(process.stdout.readline())
        try:
            supervisor = supervisor_of(directory)
            process.kill()
            process.wait(timeout=10)
            await_end(supervisor)
            assert Path(f"/proc/{child}").exists()
            assert not traces(directory)
        finally:
            os.kill(child, signal.SIGKILL)


def test_forked_child_does_not_end_its_parents_daemon() -> None:
    body = "import os; os.fork() or (daemon.stop(), os._exit(0)); print(os.wait()[1], flush=True); time.sleep(600)"
    with owner(body) as (process, directory):
        assert process.stdout
        assert process.stdout.readline() == "0\n"
        assert UnixAPI(f"{directory}/unix.socket").ready()
        process.kill()
        await_end(supervisor_of(directory))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_supervisor_is_killed(number: signal.Signals) -> None:
    with PrivateIncus(https=True, image=False) as daemon:
        supervisor = supervisor_of(daemon.directory)
        os.kill(supervisor, number)
        await_end(supervisor)
        with pytest.raises(PrivateIncusError, match="ended unexpectedly"):
            daemon.restart()
    assert not traces(daemon.directory)


def test_process_1_is_killed() -> None:
    with PrivateIncus(network=False, image=False) as daemon:
        os.kill(daemon.pid, signal.SIGKILL)
        with pytest.raises(PrivateIncusError, match=r"(?s)ended unexpectedly.*incusd\.log:.*Daemon started"):
            daemon.hold()
    assert not traces(daemon.directory)


# What it refuses


def test_unknown_driver_leaves_nothing_and_quotes_the_log() -> None:
    daemon = PrivateIncus(driver="floppy")
    with pytest.raises(PrivateIncusError, match=r"(?s)Unknown driver.*incusd\.log:\n.*Daemon started"):
        daemon.start()
    assert not traces(daemon.directory)


def test_slow_start_leaves_nothing() -> None:
    daemon = PrivateIncus(start_timeout=0.05)
    with pytest.raises(PrivateIncusError, match=r"within 0\.05 s"):
        daemon.start()
    assert not traces(daemon.directory)


def test_rootfs_without_a_daemon(tmp_path: Path) -> None:
    with pytest.raises(PrivateIncusError, match=rf"incusd, lxcfs.* not found in {tmp_path}; .*incus-base"):
        PrivateIncus(rootfs=tmp_path).start()


def test_rootfs_that_does_not_work_leaves_nothing(tmp_path: Path) -> None:
    rootfs = broken_rootfs(tmp_path)
    daemon = PrivateIncus(rootfs=rootfs, network=False)
    with pytest.raises(PrivateIncusError, match=r"(?s)could not be started.*lxcfs: there is no fuse here"):
        daemon.start()
    assert not traces(daemon.directory)
    assert sorted(path.name for path in rootfs.iterdir()) == ["bin", "dev", "mnt", "proc", "run", "sys", "tmp", "var"]


def test_only_root_can() -> None:
    os.seteuid(65534)
    try:
        with pytest.raises(PrivateIncusError, match="as root, not as user 65534"):
            PrivateIncus().start()
    finally:
        os.seteuid(0)


def test_given_directory_is_emptied_and_kept() -> None:
    directory = Path("/run/incus-sdk-test")
    directory.mkdir()
    try:
        with PrivateIncus(directory=directory, network=False) as daemon, container(UnixAPI(daemon.socket), "c1"):
            assert daemon.log.parent == directory
        assert not list(directory.iterdir())
        (directory / "precious").touch()
        with pytest.raises(PrivateIncusError, match="not empty"):
            PrivateIncus(directory=directory).start()
        assert (directory / "precious").exists()
    finally:
        shutil.rmtree(directory)


def test_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    directory = tmp_path.parent / "no" / "folder"
    with pytest.raises(PrivateIncusError, match=f"No such file or directory: '{directory}'"):
        PrivateIncus(directory=directory).start()


def test_long_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PrivateIncusError, match="60 is the most"):
        PrivateIncus(directory=tmp_path / ("x" * 60)).start()


def test_attributes_say_when_there_is_nothing() -> None:
    with pytest.raises(PrivateIncusError, match="not been started"):
        _ = PrivateIncus().socket
    with PrivateIncus(network=False, image=False) as daemon, pytest.raises(PrivateIncusError, match="https=True"):
        _ = daemon.https


def test_image_is_the_same_every_time() -> None:
    busybox = shutil.which("busybox")
    assert busybox
    assert build_image(busybox) == build_image(busybox)


# Helpers


def start_container(api: UnixAPI, name: str) -> None:
    source = {"type": "image", "alias": PrivateIncus.IMAGE}
    api.request("POST", "/1.0/instances", {"name": name, "source": source})
    api.request("PUT", f"/1.0/instances/{name}/state", {"action": "start"})


@contextlib.contextmanager
def container(api: UnixAPI, name: str) -> Generator[None]:
    start_container(api, name)
    yield
    api.request("PUT", f"/1.0/instances/{name}/state", {"action": "stop", "timeout": 10})
    api.request("DELETE", f"/1.0/instances/{name}")


def wait_for_address(api: UnixAPI, name: str) -> str:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        network = api.request("GET", f"/1.0/instances/{name}/state")["network"]
        for address in network["eth0"]["addresses"]:
            if address["family"] == "inet":
                return str(address["address"])
        time.sleep(0.02)  # a lease has no event
    raise AssertionError(f"{name} got no address")


def wait_for_failure(daemon: PrivateIncus) -> None:
    while True:
        daemon.wait_ready()


def https_server_info(daemon: PrivateIncus, certificate: tuple[str, str] | None) -> dict[str, Any]:
    context = ssl.create_default_context(cafile=daemon.server_cert)
    context.check_hostname = False  # the certificate is pinned; it does not name the address
    if certificate:
        context.load_cert_chain(*certificate)
    connection = HTTPSConnection(daemon.https.removeprefix("https://"), timeout=10, context=context)
    with contextlib.closing(connection):
        connection.request("GET", "/1.0")
        info: dict[str, Any] = json.loads(connection.getresponse().read())["metadata"]
    return info


def broken_rootfs(folder: Path) -> Path:
    """A root file system with all folders, and with programs that do nothing but complain."""
    for name in ("bin", "dev", "mnt", "proc", "run", "sys", "tmp", "var/lib"):
        (folder / name).mkdir(parents=True)
    busybox = shutil.which("busybox")
    assert busybox
    shutil.copy(busybox, folder / "bin/busybox")
    for name in ("incusd", "lxcfs"):
        program = folder / "bin" / name
        program.write_text(f"#!/bin/busybox sh\necho '{name}: there is no fuse here' >&2\nexit 1\n")
        program.chmod(0o755)
    return folder


@contextlib.contextmanager
def owner(body: str) -> Generator[tuple[subprocess.Popen[str], Path]]:
    """Runs a process that has a private daemon, and yields it together with the daemon's folder."""
    program = _OWNER.format(body=body)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def supervisor_of(directory: Path) -> int:
    """The only process outside the capsule that has the folder on its command line."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (
                str(directory) in (folder / "cmdline").read_text()
                and (folder / "ns/pid").readlink() == Path("/proc/self/ns/pid").readlink()
            ):
                return int(folder.name)
    raise AssertionError(f"no supervisor for {directory}")


def await_end(pid: int) -> None:
    """Waits until the process, which need not be a child, has ended."""
    with contextlib.suppress(ProcessLookupError), os.fdopen(os.pidfd_open(pid)) as ended:
        assert select.select([ended], [], [], 10)[0], f"process {pid} runs on"


def traces(directory: Path) -> list[str]:
    """Finds everything on the machine that bears the name of the daemon, which is that of its folder."""
    found = [f"folder: {directory}"] if directory.exists() else []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            told = [(process / name).read_text(errors="replace") for name in ("cmdline", "environ", "cgroup")]
            if directory.name in "".join(told):
                found.append(f"process: {process.name} {told[0]!r}")
            if directory.name in (process / "mountinfo").read_text():
                found.append(f"mount: of process {process.name}")
    found += [f"network link: {link}" for link in Path("/sys/class/net").glob(directory.name)]
    for depth in ("", "*/"):
        found += [f"control group: {group}" for group in Path("/sys/fs/cgroup").glob(depth + directory.name)]
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            if directory.name in backing.read_text():
                found.append(f"loop device: {backing}")
    return found
