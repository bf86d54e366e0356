"""Which API extensions requests need, against what servers of two versions said they have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from incus_sdk._extension_data import BODIES, CALLS, FIELDS, NEWER, RECURSION
from incus_sdk._extensions import required, template

DATA = Path(__file__).parent / "data"
PATHS = sorted({*CALLS, *RECURSION, *BODIES})
VOLUMES = "/1.0/storage-pools/p/volumes/custom"


def extensions(version: str) -> set[str]:
    return set(json.loads((DATA / version / "api-extensions.json").read_text()))


def all_needed() -> set[str]:
    tables: list[dict[str, dict[Any, str]]] = [{**CALLS}, {**RECURSION}, {**FIELDS}]
    return {name for table in tables for entry in table.values() for name in entry.values()}


class TestTables:
    def test_the_oldest_server_has_all_that_are_not_newer(self) -> None:
        assert all_needed() - NEWER <= extensions("6.0")
        assert not NEWER & extensions("6.0")

    def test_a_new_server_has_all(self) -> None:
        assert all_needed() | NEWER <= extensions("7.0")

    @pytest.mark.parametrize("path", PATHS)
    def test_each_path_is_found(self, path: str) -> None:
        assert template(re.sub(r"\{\w+\}", "a%2Fb", path)) == path
        assert template(path) == path


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (("GET", "/1.0/profiles"), []),
        (("PATCH", "/1.0/profiles/small"), ["patch"]),
        (("GET", "/1.0/instances/web/nvram"), ["instance_nvram"]),
        (("PATCH", "/1.0/instances/web/nvram"), ["instance_nvram_bulk_update"]),
        (("GET", "/1.0/instances", 1), ["instances"]),
        (("GET", "/1.0/instances", 2), ["instances", "container_full"]),
        (("GET", VOLUMES, 1), ["storage"]),
        (("GET", VOLUMES, 2), ["storage", "storage_volume_full"]),
        (("POST", VOLUMES, 2), ["storage"]),
        (("GET", f"{VOLUMES}/data", 1), ["storage", "storage_volume_full"]),
        (("PUT", "/1.0/instances/web", 0, {"restore": "s0"}), ["instances"]),
        (
            ("PUT", "/1.0/instances/web", 0, {"restore": "s0", "disk_only": True}),
            ["instances", "instance_snapshot_disk_only_restore"],
        ),
        (("PUT", "/1.0/instances/web", 0, {"disk_only": False}), ["instances"]),
        (
            ("PUT", "/1.0/networks/br0/forwards/192.0.2.1", 0, {"ports": [{}, {"snat": True}]}),
            ["network_forward", "network_forward_snat"],
        ),
        (("PUT", "/1.0/networks/br0/forwards/192.0.2.1", 0, {"ports": [{"snat": False}]}), ["network_forward"]),
        (("PUT", "/1.0/networks/br0/forwards/192.0.2.1", 0, {"ports": "snat"}), ["network_forward"]),
        (("PUT", "/1.0/instances/web", 0, b"raw"), ["instances"]),
        (("GET", "/1.0/unheard/of"), []),
        (("GET", ""), []),
        (("GET", "/1.0/instances/aliases/nvram"), ["instance_nvram"]),
        (("GET", "/1.0/instances/web/logs/exec-output"), ["container_exec_recording"]),
        (("GET", "/1.0/instances/web/logs/lxc.log"), ["instances"]),
    ],
)
def test_required(request_: tuple[Any, ...], expected: list[str]) -> None:
    assert list(required(*request_)) == expected
