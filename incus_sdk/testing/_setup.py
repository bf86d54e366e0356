"""Fills a fresh daemon with what tests want to find: a pool, a bridge, a profile that uses both, an image."""

from __future__ import annotations

import base64
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ._http import UnixAPI
from ._image import build_image

__all__ = ["BRIDGE", "create_client_certificate", "set_up", "trust"]

BRIDGE = "incusbr0"

_LOOP_DRIVERS = ("btrfs", "lvm", "zfs")
"""They keep their data in a file of a size that is to be given."""


def set_up(api: UnixAPI, *, driver: str, network: bool, busybox: str, alias: str) -> None:
    """Makes the pool `default`, the bridge, the devices of profile `default` and the image.

    The bridge and the image take the longest, and do not need each other.
    """
    devices: dict[str, dict[str, str]] = {"root": {"type": "disk", "path": "/", "pool": "default"}}
    with ThreadPoolExecutor() as pool:
        steps = [pool.submit(_import_image, api, busybox, alias)] if busybox else []
        if network:
            devices["eth0"] = {"type": "nic", "name": "eth0", "network": BRIDGE}
            steps.append(pool.submit(_create_bridge, api))
        _create_pool(api, driver)
        for step in steps:
            step.result()
    api.request("PUT", "/1.0/profiles/default", {"description": "", "config": {}, "devices": devices})


def _create_pool(api: UnixAPI, driver: str) -> None:
    config = {"size": "2GiB"} if driver in _LOOP_DRIVERS else {}
    api.request("POST", "/1.0/storage-pools", {"name": "default", "driver": driver, "config": config})


def _create_bridge(api: UnixAPI) -> None:
    # The address can be the same for every daemon: each has a network namespace of its own.
    config = {"ipv4.address": "10.158.0.1/24", "ipv4.nat": "true", "ipv6.address": "none"}
    api.request("POST", "/1.0/networks", {"name": BRIDGE, "type": "bridge", "config": config})


def _import_image(api: UnixAPI, busybox: str, alias: str) -> None:
    headers = {"Content-Type": "application/octet-stream", "X-Incus-filename": "busybox.tar"}
    imported: dict[str, Any] = api.request("POST", "/1.0/images", build_image(busybox), headers)
    fingerprint = imported["metadata"]["fingerprint"]
    api.request("POST", "/1.0/images/aliases", {"name": alias, "target": fingerprint})


def create_client_certificate(crt: Path, key: Path) -> None:
    """Writes a self-signed client certificate and its key."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1", "-sha384"]
    command += ["-nodes", "-days", "3650", "-subj", "/O=incus_sdk/CN=testing", "-keyout", str(key), "-out", str(crt)]
    subprocess.run(command, check=True, capture_output=True)


def trust(api: UnixAPI, crt: Path) -> None:
    """Makes the daemon trust the certificate, with all rights."""
    pem = crt.read_text()
    der = base64.b64encode(base64.b64decode("".join(pem.splitlines()[1:-1]))).decode()
    api.request("POST", "/1.0/certificates", {"name": "testing", "type": "client", "certificate": der})
