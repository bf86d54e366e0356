"""What people write about instances, and the bodies that the server gets."""

from __future__ import annotations

import copy
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from incus_sdk import IncusArgumentError
from incus_sdk.api._bodies import check_draft, replace_body
from incus_sdk.api._instance_bodies import (
    FIELDS,
    IMAGES_URL,
    create_body,
    fingerprint,
    image_source,
    update_body,
)
from incus_sdk.models import InstanceCreateFields, InstanceData

SOURCE = {"type": "image", "alias": "debian/13"}
NOTHING: dict[str, Any] = {"instance_type": "container", "profiles": None, "flavor": None}


def creation(**fields: Any) -> dict[str, Any]:
    """The body of a creation, with what the test is about."""
    return create_body("web", SOURCE, **{**NOTHING, **fields})


# -- create -----------------------------------------------------------------------------------------------------------


def test_what_is_not_given_is_left_to_the_server() -> None:
    assert create_body("web", SOURCE, **NOTHING, config=None, devices=None, ephemeral=False) == {
        "name": "web",
        "source": SOURCE,
        "type": "container",
        "ephemeral": False,
    }


def test_everything() -> None:
    config = {"limits.cpu": 2, "security.nesting": True, "user.path": Path("/srv"), "user.none": None}
    devices = {"root": {"type": "disk", "path": "/", "size": 5}}
    before = copy.deepcopy((SOURCE, config, devices))
    body = create_body(
        "web",
        MappingProxyType(SOURCE),
        instance_type="virtual-machine",
        profiles=("a", "b"),
        flavor="t3.micro",
        config=config,
        devices=devices,
        ephemeral=True,
        description="x",
        start=True,
    )
    assert body == {
        "name": "web",
        "source": SOURCE,
        "type": "virtual-machine",
        "instance_type": "t3.micro",
        "profiles": ["a", "b"],
        "config": {"limits.cpu": "2", "security.nesting": "true", "user.path": "/srv", "user.none": ""},
        "devices": {"root": {"type": "disk", "path": "/", "size": "5"}},
        "ephemeral": True,
        "description": "x",
        "start": True,
    }
    assert (SOURCE, config, devices) == before


def test_no_profile_at_all() -> None:
    nothing: dict[str, Any] = {**NOTHING, "profiles": []}
    assert create_body("web", SOURCE, **nothing)["profiles"] == []


def test_no_name_lets_the_server_choose() -> None:
    assert "name" not in create_body(None, SOURCE, **NOTHING)


def test_a_slip_in_a_source() -> None:
    """The server would take an image of its own."""
    with pytest.raises(IncusArgumentError, match=r"^the source has no field 'sever' \(did you mean 'server'\?\)$"):
        create_body("web", {**SOURCE, "sever": "https://images.linuxcontainers.org"}, **NOTHING)


@pytest.mark.parametrize("source", ["debian/13", None, ["image"], 5])
def test_sources_of_the_wrong_type(source: Any) -> None:
    with pytest.raises(TypeError, match=r"source must be a mapping .*launch\(\) takes the short form"):
        create_body("web", source, **NOTHING)


def test_one_profile_as_a_text() -> None:
    with pytest.raises(TypeError, match=r"profiles must be a list, as in \['default'\], not str"):
        creation(profiles="default")
    with pytest.raises(TypeError, match="profiles must be a list"):
        creation(profiles=5)
    with pytest.raises(TypeError, match=r"profiles\[0\] must be a str, not int"):
        creation(profiles=[1])


@pytest.mark.parametrize("field", InstanceCreateFields.__annotations__)
def test_further_fields_of_a_creation(field: str) -> None:
    assert creation(**{field: "x"})[field] == "x"


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ("desription", r"a creation has no field 'desription' \(did you mean 'description'\?\)"),
        ("profile", r"\(did you mean 'profiles'\?\)"),
        ("device", r"\(did you mean 'devices'\?\)"),
        ("project", r"'project': a project is chosen with client\.use_project"),
        ("target", r"'target': a cluster member is chosen with client\.use_target"),
        ("type", "'type': the type is the parameter instance_type"),
        ("zzz", r"\(there are architecture, .*flavor\)"),
    ],
)
def test_fields_of_a_creation_that_there_are_not(field: str, hint: str) -> None:
    with pytest.raises(IncusArgumentError, match=hint):
        creation(**{field: None})


# -- update -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({}, {}),
        ({"limits.cpu": 2}, {"config": {"limits.cpu": "2"}}),
        ({"limits.cpu": None}, {"config": {"limits.cpu": ""}}),
        ({"user.a": True, "user.b": Path("/x")}, {"config": {"user.a": "true", "user.b": "/x"}}),
        ({"description": "x", "ephemeral": True}, {"description": "x", "ephemeral": True}),
        (
            {"config": {"user.a": 1, "user.b": 1}, "user.b": 2, "description": "x"},
            {"config": {"user.a": "1", "user.b": "2"}, "description": "x"},
        ),
        ({"config": {"boot": 1}}, {"config": {"boot": "1"}}),
        (
            {"devices": {"eth0": {"type": "nic", "mtu": 1500}}, "profiles": ["a"]},
            {"devices": {"eth0": {"type": "nic", "mtu": "1500"}}, "profiles": ["a"]},
        ),
        ({"devices": {}}, {"devices": {}}),
        (MappingProxyType({"user.a": 1}), {"config": {"user.a": "1"}}),
    ],
)
def test_updates(changes: Any, body: dict[str, Any]) -> None:
    before = repr(changes)
    assert update_body(changes) == body
    assert repr(changes) == before


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("descripton", r"\(did you mean 'description'\?\); a configuration key has a dot in it"),
        ("profile", r"\(did you mean 'profiles'\?\)"),
        ("zzz", r"\(there are architecture, config, description, devices, "),
        ("name", r"an update cannot change 'name' of an instance; rename\(\) can"),
    ],
)
def test_fields_that_there_are_not(key: str, hint: str) -> None:
    with pytest.raises(IncusArgumentError, match=hint):
        update_body({key: "x"})


@pytest.mark.parametrize("options", [None, {}])
def test_a_device_cannot_be_removed(options: object) -> None:
    with pytest.raises(IncusArgumentError, match=r"cannot remove device 'eth0'; edit\(\) can: del draft\['devices'\]"):
        update_body({"devices": {"root": {"type": "disk"}, "eth0": options}})


@pytest.mark.parametrize(
    "changes", [None, "limits.cpu=2", [("limits.cpu", 2)], {5: "x"}, {"devices": ["eth0"]}, {"config": "limits.cpu=2"}]
)
def test_updates_of_the_wrong_type(changes: Any) -> None:
    with pytest.raises(TypeError):
        update_body(changes)


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_is_never_unset(field: str) -> None:
    with pytest.raises(IncusArgumentError, match=f"'{field}' cannot be None.*Leave it out to keep it"):
        update_body({field: None})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({1: "x"}, "an update: a key must be a str, not int: 1"),
        ({"profiles": 5}, "profiles must be a list"),
        ({"profiles": "default"}, "profiles must be a list"),
        ({"profiles": [1]}, r"profiles\[0\] must be a str, not int"),
    ],
)
def test_what_is_wrong_with_an_update_is_named(changes: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        update_body(changes)


def test_values_that_cannot_be() -> None:
    with pytest.raises(IncusArgumentError, match=r"'limits\.cpu' cannot be"):
        update_body({"limits.cpu": [0, 1]})


# -- replace and edit -------------------------------------------------------------------------------------------------

SENT: dict[str, Any] = InstanceData(name="web", status="Running", profiles=["default"]).to_dict()
"""As a server sends it, with much that it ignores when it comes back."""


def replacement(body: Any) -> dict[str, Any]:
    return replace_body("an instance", FIELDS, InstanceData.__struct_encode_fields__, body)


def test_replacements() -> None:
    before = copy.deepcopy(SENT)
    assert replacement({**SENT, "config": {"limits.cpu": 2}}) == {**SENT, "config": {"limits.cpu": "2"}}
    assert replacement({"profiles": ("a",), "devices": {"d": {"mtu": 5}}}) == {
        "profiles": ["a"],
        "devices": {"d": {"mtu": "5"}},
    }
    assert before == SENT


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        ({"descripton": "x"}, IncusArgumentError, r"no field 'descripton' \(did you mean 'description'\?\)"),
        (
            {**SENT, "limits.cpu": 2},
            IncusArgumentError,
            r"no field 'limits\.cpu'; a configuration key goes into its config",
        ),
        ({1: "x"}, TypeError, "an instance: a key must be a str, not int: 1"),
        (None, TypeError, "the body must be a mapping, not NoneType"),
        ([("description", "x")], TypeError, "the body must be a mapping, not list"),
        ({"config": None, "profiles": "default"}, TypeError, "profiles must be a list"),
    ],
)
def test_replacements_that_cannot_be(body: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        replacement(body)


def test_drafts() -> None:
    sent = {**SENT, "new_field": 1}
    check_draft("an instance", FIELDS, {}, dict.fromkeys(FIELDS, "x"))
    check_draft("an instance", FIELDS, sent, {**SENT, "new_field": 2, "description": "x"})
    check_draft("an instance", FIELDS, sent, {"config": {}})
    with pytest.raises(IncusArgumentError, match=r"no field 'profile' \(did you mean 'profiles'\?\)"):
        check_draft("an instance", FIELDS, sent, {**sent, "profile": ["x"]})
    with pytest.raises(TypeError, match="a key must be a str, not int: 5"):
        check_draft("an instance", FIELDS, SENT, {**SENT, 5: "x"})  # type: ignore[dict-item]  # refused


# -- images -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "source"),
    [
        ("debian/13", {"type": "image", "alias": "debian/13"}),
        ("local:mine", {"type": "image", "alias": "mine"}),
        (
            "images:debian/13/cloud",
            {
                "type": "image",
                "mode": "pull",
                "protocol": "simplestreams",
                "server": IMAGES_URL,
                "alias": "debian/13/cloud",
            },
        ),
    ],
)
def test_images(image: str, source: dict[str, str]) -> None:
    assert image_source(image) == source


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ("", "names no image; write images:debian/13"),
        ("images:", "names no image"),
        ("ubuntu:24.04", "no image server is called 'ubuntu'"),
        (":x", "no image server is called ''"),
        ("docker:library/nginx:1", "no image server is called 'docker:library/nginx'"),
    ],
)
def test_images_that_cannot_be(image: str, text: str) -> None:
    with pytest.raises(IncusArgumentError, match=text):
        image_source(image)


@pytest.mark.parametrize("image", [None, 5, {"type": "image"}, b"x"])
def test_images_of_the_wrong_type(image: Any) -> None:
    with pytest.raises(TypeError, match="image must be a str, not"):
        image_source(image)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("bacb30cd6ca5", True),
        ("bacb30cd6ca5e6f238f8a3a3699c966c6cfd0a5292ee25951fda24a2c3f1fdf9", True),
        ("bacb30cd6ca", False),
        ("BACB30CD6CA5", False),
        ("debian/13/cloud", False),
        ("images:bacb30cd6ca5", False),
    ],
)
def test_what_may_be_a_fingerprint(image: str, found: bool) -> None:
    assert fingerprint(image) == (image if found else None)
    assert fingerprint(f"local:{image}") == (image if found else None)
