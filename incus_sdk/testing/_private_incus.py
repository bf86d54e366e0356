"""`PrivateIncus`, as its users see it."""

from __future__ import annotations

import os
import secrets
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ._errors import PrivateIncusError, quote_log
from ._settings import DAEMON_LOG, Settings

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ._handle import Capsule
    from ._http import UnixAPI
    from ._requirements import Programs

__all__ = ["PrivateIncus"]

_LONGEST_DIRECTORY = 60
"""The path of a unix socket has 107 bytes at most, and the daemon makes some deep below its folder."""

_POLL = 0.01
"""Seconds between two questions whether the daemon is ready: it has no way of telling."""


class PrivateIncus:
    """A real Incus daemon of one's own, for tests: up in a second, gone without a trace.

    It runs beside the machine's own daemon and beside as many others as you like. Daemon, containers, network bridge
    and firewall rules live in namespaces of their own under one process, whose end takes all of them along, and which
    ends with the process that started it, however that ends.

    It needs Linux, root (in a container: a privileged one) and these Debian packages: `incus-base`, `lxcfs`,
    `dnsmasq-base`, `nftables`, `iproute2`, `busybox-static`; `openssl` for HTTPS, `btrfs-progs` for that driver.
    Nothing is fetched from the internet. The daemon has a storage pool `default`, a bridge `incusbr0` that hands out
    addresses, a profile `default` that uses both, and an image for containers that start in a fraction of a second.
    Virtual machines are not supported.

    ::

        async with PrivateIncus() as daemon, Client(daemon.endpoint) as client:
            await client.instances.launch(daemon.IMAGE, "c1")

    A plain `with` does as well. The methods block; a coroutine runs them as `await asyncio.to_thread(daemon.restart)`.

    Args:
        driver: Storage driver of the pool. `dir` is the fastest, `btrfs` has quotas and real snapshots.
        network: Make the bridge, and give containers an `eth0` on it.
        https: Serve HTTPS as well, to this machine only, and trust a client certificate.
        rootfs: Root file system whose daemon to run instead of the machine's own. It is not changed. Its daemon sees
            control groups of version 2 only.
        image: Have the image `busybox`.
        directory: Folder for everything of the daemon, new or empty; by default one below the temporary directory. It
            is emptied in the end, and removed unless it existed before.
        start_timeout: Seconds that the daemon has until it must be ready, at each start.

    Raises:
        PrivateIncusError: On start: something is missing on this machine (the message says what), or the daemon did
            not come up (the message quotes its log). On stop: something could not be removed.
    """

    IMAGE: Final = "busybox"
    """Alias of the image: busybox with `sh` and all its programs, users `root`, `daemon` (1) and `user` (1000)."""

    def __init__(
        self,
        *,
        driver: str = "dir",
        network: bool = True,
        https: bool = False,
        rootfs: str | os.PathLike[str] | None = None,
        image: bool = True,
        directory: str | os.PathLike[str] | None = None,
        start_timeout: float = 30.0,
    ) -> None:
        self._driver = driver
        self._network = network
        self._with_https = https
        self._rootfs = os.path.realpath(rootfs) if rootfs else ""
        self._image = image
        self._wanted_directory = Path(directory).absolute() if directory else None
        self._start_timeout = start_timeout
        self._directory: Path | None = None
        self._capsule: Capsule | None = None
        self._owner = 0
        self._abandoned = threading.Event()
        self._version = ""

    # What to connect to

    @property
    def directory(self) -> Path:
        """The daemon's folder, its `INCUS_DIR`."""
        if self._directory is None:
            raise PrivateIncusError("the private Incus daemon has not been started: use `with PrivateIncus() as …`")
        return self._directory

    @property
    def socket(self) -> str:
        """Path of the daemon's unix socket."""
        return str(self.directory / "unix.socket")

    @property
    def endpoint(self) -> str:
        """The unix socket as `Client` takes it."""
        return f"unix://{self.socket}"

    @property
    def log(self) -> Path:
        """The daemon's log, which goes with the rest when the daemon stops."""
        return self.directory / DAEMON_LOG

    @property
    def version(self) -> str:
        """Version of the server, for instance `6.0.4`."""
        return self._version

    @property
    def pid(self) -> int:
        """Process 1 of the daemon's namespaces, for instance for `nsenter --target PID --net --mount --pid`."""
        return self._running().pid

    @property
    def https(self) -> str:
        """URL of the daemon's HTTPS, which nobody but this machine can reach; needs `https=True`."""
        return f"https://{self._running(https=True).address}:8443"

    @property
    def gateway(self) -> str:
        """Address at which the daemon reaches servers on this machine; needs `https=True`."""
        return self._running(https=True).gateway

    @property
    def client_cert(self) -> tuple[str, str]:
        """Paths of a certificate that the daemon trusts and of its key; needs `https=True`."""
        self._running(https=True)
        return str(self.directory / "client.crt"), str(self.directory / "client.key")

    @property
    def server_cert(self) -> str:
        """Path of the daemon's self-signed certificate, to pin; needs `https=True`."""
        self._running(https=True)
        return str(self.directory / "server.crt")

    def environ(self) -> dict[str, str]:
        """Returns environment variables for the command `incus`, which keep it off the user's own settings.

        ::

            subprocess.run(["incus", "list"], env=os.environ | daemon.environ())
        """
        conf = str(self.directory / "client")
        return {"INCUS_DIR": str(self.directory), "INCUS_SOCKET": self.socket, "INCUS_CONF": conf}

    # Start and stop

    def start(self) -> None:
        """Starts the daemon, and returns when it is ready and set up.

        Raises:
            PrivateIncusError: It cannot be started, or not set up; nothing of it is left.
        """
        from ._requirements import find_programs

        if self._capsule:
            raise PrivateIncusError(f"the private Incus daemon in {self._directory} is running already")
        programs = find_programs(
            self._rootfs, driver=self._driver, network=self._network, https=self._with_https, image=self._image
        )
        name = f"incus-{secrets.token_hex(4)}"
        self._directory, keep = _choose_directory(self._wanted_directory, name)
        self._owner = os.getpid()
        try:
            self._start_capsule(programs, name, self._directory, keep=keep)
            self.wait_ready()
            self._set_up(programs)
        except BaseException as error:
            failure = self._failure(f"a private Incus daemon in {self._directory} could not be started: {error}")
            self.stop()
            if isinstance(error, Exception):
                raise failure from error
            raise

    def stop(self) -> None:
        """Kills the daemon with everything that it runs and removes all of it, as leaving the `with` block does.

        Raises:
            PrivateIncusError: Something could not be removed; the message says what.
        """
        capsule = self._capsule
        # A forked child that runs its parent's `finally` blocks must not end the parent's daemon.
        if capsule is None or os.getpid() != self._owner:
            return
        self._capsule = None
        left = capsule.end()
        if left:
            raise PrivateIncusError(
                f"of the private Incus daemon in {self._directory} there is left: {', '.join(left)}"
            )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        from ._outlast import outlast

        self._abandoned.clear()
        try:
            await outlast(self.start, self._abandoned.set)
        except BaseException:
            await outlast(self.stop)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        from ._outlast import outlast

        await outlast(self.stop)

    # Faults

    def kill_daemon(self) -> None:
        """Kills the daemon at once (SIGKILL); it comes back by itself. Its containers run on.

        Returns when the old process is dead and a new one is on its way; `wait_ready` waits for that.
        """
        self._running().command("kill")

    def hold(self) -> None:
        """Kills the daemon at once and keeps it down, until `resume`. Its containers run on."""
        self._running().command("hold")

    def resume(self) -> None:
        """Starts a daemon that is down, and waits until it is ready."""
        self._running().command("resume")
        self.wait_ready()

    def restart(self) -> None:
        """Stops the daemon in good order (SIGTERM), starts it again and waits until it is ready.

        Its containers run on. What it is doing, it may finish; after 30 s it is killed.
        """
        self._running().command("restart")
        self.wait_ready()

    def wait_ready(self) -> None:
        """Waits until the daemon has finished starting.

        Raises:
            PrivateIncusError: It ended instead, or was not ready within `start_timeout`.
        """
        capsule, api = self._running(), self._api(self._start_timeout)
        deadline = time.monotonic() + self._start_timeout
        while not api.ready():
            state = capsule.command("status")
            if not state["running"]:
                raise self._failure(f"the daemon is down, its exit status was {state['exit']}")
            if time.monotonic() > deadline:
                raise self._failure(f"the daemon was not ready within {self._start_timeout} s")
            if self._abandoned.wait(_POLL):
                raise self._failure("the start was abandoned")

    def _running(self, *, https: bool = False) -> Capsule:
        if self._capsule is None:
            raise PrivateIncusError("the private Incus daemon is not running: use `with PrivateIncus() as …`")
        if https and not self._with_https:
            raise PrivateIncusError("this private Incus daemon has no HTTPS: start it as PrivateIncus(https=True)")
        return self._capsule

    def _failure(self, what: str) -> PrivateIncusError:
        log = quote_log(self.log)
        return PrivateIncusError(what if log.partition(":")[0] in what else f"{what}\n{log}")

    def _api(self, timeout: float = 60.0) -> UnixAPI:
        from ._http import UnixAPI

        return UnixAPI(self.socket, timeout)

    def _start_capsule(self, programs: Programs, name: str, directory: Path, *, keep: bool) -> None:
        from . import _cgroups
        from ._handle import Capsule

        settings = Settings(
            name=name,
            directory=str(directory),
            keep_directory=keep,
            rootfs=self._rootfs,
            incusd=programs.incusd,
            lxcfs=programs.lxcfs,
            cgroup2=bool(self._rootfs) or _cgroups.is_unified(),
            uplink=self._with_https,
            owner=self._owner,
        )
        self._capsule = Capsule(settings)
        self._capsule.wait_made(self._start_timeout)

    def _set_up(self, programs: Programs) -> None:
        from . import _setup

        api = self._api()
        config = {"images.auto_update_interval": "0"}
        if self._with_https:
            config["core.https_address"] = f"{self._running().address}:8443"
            crt, key = self.client_cert
            _setup.create_client_certificate(Path(crt), Path(key))
            _setup.trust(api, Path(crt))
        api.request("PATCH", "/1.0", {"config": config})
        _setup.set_up(api, driver=self._driver, network=self._network, busybox=programs.busybox, alias=self.IMAGE)
        self._version = str(api.request("GET", "/1.0")["environment"]["server_version"])


def _choose_directory(wanted: Path | None, name: str) -> tuple[Path, bool]:
    """Chooses the daemon's folder, and tells whether it is there already."""
    if wanted is None:
        import tempfile

        base = tempfile.gettempdir()
        short = base if len(base) < _LONGEST_DIRECTORY // 2 else "/tmp"
        return Path(short, name), False
    if len(str(wanted)) > _LONGEST_DIRECTORY:
        raise PrivateIncusError(
            f"directory {str(wanted)!r} has {len(str(wanted))} characters; the paths of the sockets in it"
            f" would be too long for the kernel, {_LONGEST_DIRECTORY} is the most"
        )
    if wanted.exists() and any(wanted.iterdir()):
        raise PrivateIncusError(f"directory {str(wanted)!r} is not empty; all that is in it would be removed")
    return wanted, wanted.exists()
