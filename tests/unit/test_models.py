"""The models, on what real servers answered: `data/` holds recordings of Incus 6.0.4 and 7.0.2, with names replaced."""

from __future__ import annotations

import copy
import json
import pickle
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incus_sdk import models
from incus_sdk.models import Access, InstanceData, InstanceState, Model, OperationData, Resources, Server

DATA = Path(__file__).parent / "data"
MODELS: dict[str, type[Model]] = {
    "bucket-full": models.StorageBucketData,
    "bucket-key": models.StorageBucketKeyData,
    "certificate": models.CertificateData,
    "cluster": models.Cluster,
    "image": models.ImageData,
    "image-alias": models.ImageAliasesEntryData,
    "instance": InstanceData,
    "instance-backup": models.InstanceBackupData,
    "instance-full": InstanceData,
    "instance-metadata": models.ImageMetadata,
    "instance-stopped": InstanceData,
    "metadata-configuration": models.MetadataConfiguration,
    "network": models.NetworkData,
    "network-acl": models.NetworkACLData,
    "network-address-set": models.NetworkAddressSetData,
    "network-forward": models.NetworkForwardData,
    "network-integration": models.NetworkIntegrationData,
    "network-state": models.NetworkState,
    "network-zone": models.NetworkZoneData,
    "network-zone-record": models.NetworkZoneRecordData,
    "operation-exec": OperationData,
    "operation-stop": OperationData,
    "profile": models.ProfileData,
    "project": models.ProjectData,
    "project-state": models.ProjectState,
    "resources": Resources,
    "server": Server,
    "snapshot": models.InstanceSnapshotData,
    "storage-pool": models.StoragePoolData,
    "storage-pool-resources": models.ResourcesStoragePool,
    "volume": models.StorageVolumeData,
    "volume-backup": models.StorageVolumeBackupData,
    "volume-full": models.StorageVolumeData,
    "volume-snapshot": models.StorageVolumeSnapshotData,
    "volume-state": models.StorageVolumeState,
    "warning": models.WarningData,
}
NOT_IN_6_0 = {"bucket-full", "bucket-key", "network-address-set", "volume-full"}
ALL_MODELS = [
    value for name in models.__all__ if isinstance(value := getattr(models, name), type) and issubclass(value, Model)
]


def recording(version: str, name: str) -> bytes:
    return (DATA / version / f"{name}.json").read_bytes()


@pytest.fixture(params=["6.0", "7.0"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(
    params=[
        (version, name) for version in ("6.0", "7.0") for name in MODELS if version > "6.0" or name not in NOT_IN_6_0
    ],
    ids="-".join,
)
def answer(request: pytest.FixtureRequest) -> tuple[type[Model], dict[str, Any]]:
    data: dict[str, Any] = json.loads(recording(*request.param))
    return MODELS[request.param[1]], data


def decode(model: type[Model], data: dict[str, Any]) -> Any:
    return msgspec.json.decode(json.dumps(data), type=model)


class TestRealAnswers:
    def test_every_key_arrives(self, answer: tuple[type[Model], dict[str, Any]]) -> None:
        model, data = answer
        assert without_nothing(data) == without_nothing(decode(model, data).to_dict())

    def test_values_survive_a_round_trip(self, answer: tuple[type[Model], dict[str, Any]]) -> None:
        model, data = answer
        first = decode(model, data)
        assert model.from_dict(first.to_dict()) == first
        assert model.from_dict(json.loads(json.dumps(first.to_dict()))) == first

    def test_equal_by_value_and_picklable(self, answer: tuple[type[Model], dict[str, Any]]) -> None:
        model, data = answer
        first, second = decode(model, data), decode(model, data)
        assert first == second
        assert pickle.loads(pickle.dumps(first)) == first
        assert copy.deepcopy(first) == first

    def test_instance(self, version: str) -> None:
        web = msgspec.json.decode(recording(version, "instance-full"), type=InstanceData)
        assert (web.name, web.status, web.type, web.project) == ("web", "Running", "container", "default")
        assert web.profiles == ["default"]
        assert web.expanded_devices["eth0"]["network"] == "incusbr0"
        assert web.state is not None
        assert web.state.network["eth0"].addresses[0].family == "inet"
        assert web.state.status == "Running"
        assert web.snapshots is not None
        assert [snapshot.name for snapshot in web.snapshots] == ["s0"]
        assert web.created_at is not None
        assert web.created_at.utcoffset() == timedelta(0)

    def test_instance_read_without_its_state(self, version: str) -> None:
        web = msgspec.json.decode(recording(version, "instance"), type=InstanceData)
        assert (web.state, web.snapshots, web.backups) == (None, None, None)

    def test_stopped_instance(self, version: str) -> None:
        web = msgspec.json.decode(recording(version, "instance-stopped"), type=InstanceData)
        assert web.state is not None
        assert web.state.network == {}  # the server says null
        assert web.state.started_at is None  # the server says 0001-01-01T00:00:00Z
        assert web.state.memory.usage == 0

    def test_list_of_models(self, version: str) -> None:
        access = msgspec.json.decode(recording(version, "access"), type=Access)
        assert [(entry.role, entry.provider) for entry in access] == [("admin", "tls")]

    def test_names_of_the_server_that_are_none_in_python(self, version: str) -> None:
        operation = msgspec.json.decode(recording(version, "operation-stop"), type=OperationData)
        assert operation.class_ == "task"
        assert operation.to_dict()["class"] == "task"
        server = msgspec.json.decode(recording(version, "server"), type=Server)
        assert "dir" in [driver.name for driver in server.environment.storage_supported_drivers]


def without_nothing(value: Any) -> Any:
    """Leave out what means "nothing" on the wire, and fractions of seconds, which the models round."""
    if isinstance(value, dict):
        items: list[tuple[str, Any]] = [*value.items()]  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - JSON
        return {key: kept for key, item in items if (kept := without_nothing(item)) not in ({}, [], 0, "", None)}
    if isinstance(value, list):
        return [*map(without_nothing, value)]  # pyright: ignore[reportUnknownArgumentType] - JSON
    if isinstance(value, str) and value[4:5] == "-" and value.endswith("Z"):
        return "" if value.startswith("0001") else value[:19]
    return value


class TestLeniency:
    @pytest.mark.parametrize("model", ALL_MODELS, ids=lambda model: model.__name__)
    def test_everything_may_be_missing_and_every_list_and_map_null(self, model: type[Model]) -> None:
        empty = decode(model, {})
        nulls = {
            field.encode_name: None
            for field in msgspec.structs.fields(model)
            if not isinstance(getattr(empty, field.name), str | int | float | bytes)
        }
        assert decode(model, nulls) == empty
        assert model() == empty

    def test_null_lists_and_maps_are_empty(self) -> None:
        web = decode(InstanceData, {"config": None, "devices": None, "profiles": None, "expanded_config": None})
        assert (web.config, web.devices, web.profiles, web.expanded_config) == ({}, {}, [], {})

    def test_null_inside_of_a_map(self) -> None:
        assert decode(OperationData, {"resources": {"instances": None}}).resources == {"instances": []}

    def test_null_for_a_nested_object(self) -> None:
        state = decode(InstanceState, {"memory": None, "cpu": None, "os_info": None})
        assert (state.memory.usage, state.cpu.usage, state.os_info) == (0, 0, None)

    def test_unknown_fields_are_ignored(self) -> None:
        web = decode(InstanceData, {"name": "web", "invented_later": {"deep": [1]}, "state": {"fans": 3}})
        assert web.name == "web"

    def test_recursive_objects(self) -> None:
        card = {"sriov": {"maximum_vfs": 1, "vfs": [{"pci_address": "0000:00:01.0"}]}}
        resources = decode(Resources, {"gpu": {"cards": [card]}})
        assert resources.gpu.cards[0].sriov is not None
        assert resources.gpu.cards[0].sriov.vfs[0].pci_address == "0000:00:01.0"

    def test_unsigned_64_bit(self) -> None:
        assert decode(Resources, {"memory": {"total": 2**64 - 1}}).memory.total == 2**64 - 1

    def test_a_wrong_type_is_refused(self) -> None:
        with pytest.raises(msgspec.ValidationError, match="profiles"):
            decode(InstanceData, {"profiles": "default"})


def full(kind: msgspec.inspect.Type, depth: int = 0) -> Any:
    """Return JSON with something in every place of a type; one that holds itself ends at some depth."""
    if isinstance(kind, msgspec.inspect.UnionType):  # with null, which says nothing
        kind = next(item for item in kind.types if not isinstance(item, msgspec.inspect.NoneType))
    if isinstance(kind, msgspec.inspect.ListType):
        return [full(kind.item_type, depth + 1)] if depth < 8 else []
    if isinstance(kind, msgspec.inspect.DictType):
        return {"key": full(kind.value_type, depth + 1)}
    if isinstance(kind, msgspec.inspect.StructType):
        return {field.encode_name: full(field.type, depth + 1) for field in kind.fields}
    return SAMPLES[type(kind)]


SAMPLES: dict[type[msgspec.inspect.Type], object] = {
    msgspec.inspect.AnyType: {"deep": [1, None, "x"]},
    msgspec.inspect.BoolType: True,
    msgspec.inspect.BytesType: "c3RhdGU=",
    msgspec.inspect.DateTimeType: "2026-11-24T10:09:02.576323Z",
    msgspec.inspect.FloatType: 1.5,
    msgspec.inspect.IntType: 2**64 - 1,
    msgspec.inspect.StrType: "sesam ✓",
}


@pytest.mark.parametrize("model", ALL_MODELS, ids=lambda model: model.__name__)
class TestEveryModel:
    """What holds for recorded answers, for all models, with something in each of their fields."""

    def test_everything_arrives_and_goes_back_as_it_was(self, model: type[Model]) -> None:
        data = full(msgspec.inspect.type_info(model))
        item = decode(model, data)
        assert item.to_dict() == data
        assert json.loads(json.dumps(item.to_dict())) == data
        assert model.from_dict(data) == item
        assert model.from_dict({**data, "invented_later": {}}) == item

    def test_compared_by_value_and_picklable(self, model: type[Model]) -> None:
        data = full(msgspec.inspect.type_info(model))
        item = decode(model, data)
        assert item == decode(model, data)
        assert item is not decode(model, data)
        if data:
            assert item != model()
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(item, protocol)) == item
        assert copy.deepcopy(item) == item

    def test_repr_is_short_and_has_nothing_from_within(self, model: type[Model]) -> None:
        item = decode(model, full(msgspec.inspect.type_info(model)))
        assert repr(item).startswith(f"{model.__name__}(")
        assert len(repr(item)) < 60 + 70 * len(model.__struct_fields__)
        assert "key" not in re.sub(r"\w+=", "", repr(item))

    def test_fields_are_named_as_python_does(self, model: type[Model]) -> None:
        assert all(name.isidentifier() and name == name.lower() for name in model.__struct_fields__)


def test_zero_times_are_none_in_every_field() -> None:
    found = 0
    for model in ALL_MODELS:
        for field in msgspec.structs.fields(model):
            if "datetime" in str(field.type):
                found += 1
                for zero in ("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"):
                    assert getattr(decode(model, {field.encode_name: zero}), field.name) is None
    assert found > 20


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-11-24T10:09:02.576323243Z", datetime(2026, 11, 24, 10, 9, 2, 576323, UTC)),
            ("2026-11-24T10:09:02Z", datetime(2026, 11, 24, 10, 9, 2, 0, UTC)),
            ("2026-11-24T12:09:02+02:00", datetime(2026, 11, 24, 12, 9, 2, 0, timezone(timedelta(hours=2)))),
            ("1970-01-01T00:00:01Z", datetime(1970, 1, 1, 0, 0, 1, 0, UTC)),
            ("1969-12-31T23:59:59Z", datetime(1969, 12, 31, 23, 59, 59, 0, UTC)),
            ("0001-01-01T00:00:00Z", None),
            ("1970-01-01T00:00:00Z", None),
            ("1970-01-01T01:00:00+01:00", None),
            ("1969-12-31T19:00:00-05:00", None),
            (None, None),
        ],
    )
    def test_decoded(self, text: str | None, expected: datetime | None) -> None:
        assert decode(InstanceData, {"created_at": text}).created_at == expected


class TestSharing:
    @pytest.mark.parametrize("model", ALL_MODELS, ids=lambda model: model.__name__)
    def test_no_default_is_shared(self, model: type[Model]) -> None:
        first, second = decode(model, {}), decode(model, {})
        for name in first.__struct_fields__:
            value = getattr(first, name)
            if isinstance(value, list | dict | Model):
                assert value is not getattr(second, name)
                assert value is not getattr(model(), name)


class TestModules:
    def test_every_name_loads(self) -> None:
        assert dir(models) == models.__all__ == sorted(models.__all__)
        assert all(getattr(models, name) is not None for name in models.__all__)

    @pytest.mark.parametrize(
        ("wanted", "loaded"),
        [
            ("Model", []),
            ("NetworkState", ["networks"]),
            ("InstanceData", ["instances", "instances_backups", "instances_snapshots"]),
        ],
    )
    def test_a_name_loads_no_more_than_it_needs(self, wanted: str, loaded: list[str]) -> None:
        script = f"""
import sys
from incus_sdk.models import {wanted}
print(*sorted(name.rpartition(".")[2] for name in sys.modules if "models._generated." in name))
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.split() == loaded

    def test_unknown_name(self) -> None:
        with pytest.raises(AttributeError, match=r"incus_sdk\.models.*InstanceDatum"):
            models.InstanceDatum  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] # noqa: B018 - that is what is tested

    @pytest.mark.parametrize(
        ("model", "keys"),
        [
            (models.CertificateAddToken, ["secret"]),
            (models.ClusterMemberJoinToken, ["secret"]),
            (models.Event, ["metadata"]),
            (models.OperationData, ["metadata"]),
            (models.StorageBucketKeyData, ["secret-key"]),
        ],
    )
    def test_values_that_open_something_are_masked(self, model: type[Model], keys: list[str]) -> None:
        item = model.from_dict({key: "s3cret" if key != "metadata" else {"secret": "s3cret"} for key in keys})
        assert "s3cret" not in f"{item!r} {item.__rich_repr__()}"
        assert "..." in repr(item)

    def test_repr_of_long_texts_and_times(self) -> None:
        web = InstanceData(description="x" * 100, created_at=datetime(2026, 11, 24, tzinfo=UTC), config={"a": "b"})
        shown = "config={1}, created_at=2026-11-24T00:00:00+00:00, description='" + "x" * 57 + "'..."
        assert repr(web) == f"InstanceData({shown})"

    def test_secrets_stay_out_of_the_repr(self) -> None:
        operation = OperationData(id="1234", metadata={"fds": {"0": "s3cret"}})
        assert repr(operation) == "OperationData(id='1234', metadata=...)"
        assert "s3cret" not in repr([operation])
        assert "s3cret" not in repr(operation.__rich_repr__())

    def test_bound_data_can_carry_a_handle_that_is_no_part_of_its_value(self) -> None:
        web = InstanceData(name="web")
        vars(web)["_group"] = object()
        assert web == InstanceData(name="web")
        assert pickle.loads(pickle.dumps(web)).__dict__ == {}
        assert "_group" not in web.to_dict()
