"""The link between the machine and a capsule: a pair of network devices with an address at each end.

There is no forwarding, address translation or firewall rule: the machine reaches the daemon at the capsule's address,
the daemon reaches the machine at the gateway's, and neither reaches anything beyond.
"""

from __future__ import annotations

import ipaddress
import random
import subprocess
from pathlib import Path

__all__ = ["configure", "create_link", "remove_link"]

# Set aside for benchmarks (RFC 2544), so that nobody's network is hidden by it. Four addresses are a network of two.
_RANGE = ipaddress.ip_network("198.18.0.0/15")
_PREFIX = 30


def create_link(name: str, pid: int) -> tuple[str, str]:
    """Makes the pair: device `name` here, `eth0` in the network namespace of the process.

    Returns:
        The address of this end and the one for the other.
    """
    _ip(f"link add {name} type veth peer name eth0 netns {pid}\nlink set {name} up\n")
    for _ in range(50):
        network = _random_network()
        gateway, address = (str(host) for host in network.hosts())
        _ip(f"addr add {gateway}/{_PREFIX} dev {name} noprefixroute\n")
        try:
            # The kernel takes a route only once, which makes this the reservation among those who start together.
            _ip(f"route add {network} dev {name} src {gateway}\n")
        except OSError:
            _ip(f"addr flush dev {name}\n")
        else:
            return gateway, address
    raise OSError(f"no free network of four addresses was found in {_RANGE}")


def configure(address: str) -> None:
    """Brings up the devices on the capsule's side, to be called there; without an address there is only `lo`."""
    uplink = f"addr add {address}/{_PREFIX} dev eth0\nlink set eth0 up\n" if address else ""
    _ip("link set lo up\n" + uplink)


def remove_link(name: str) -> list[str]:
    """Removes the pair and returns its name if it is still there.

    It goes by itself with the capsule's namespace, but the kernel takes its time for that.
    """
    device = Path("/sys/class/net", name)
    if device.exists():
        subprocess.run(["ip", "link", "delete", name], check=False, capture_output=True)
    return [str(device)] if device.exists() else []


def _random_network() -> ipaddress.IPv4Network:
    step = 1 << (32 - _PREFIX)
    first = int(_RANGE.network_address) + step * random.randrange(_RANGE.num_addresses // step)
    return ipaddress.IPv4Network((first, _PREFIX))


def _ip(batch: str) -> None:
    done = subprocess.run(["ip", "-batch", "-"], check=False, input=batch, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"ip refused {batch.splitlines()}: {done.stderr.strip()}")
