"""What people write about objects that have lists of objects: the server ignores what it does not know there, too."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from incus_sdk import IncusArgumentError
from incus_sdk.api._bodies import check_draft, check_upload, create_body, merged, replace_body
from incus_sdk.models import ImageMetadataDict, NetworkACLPut, NetworkLoadBalancerPut

ACL = NetworkACLPut.__annotations__
RULE = {"action": "allow", "state": "enabled"}
WRONG = {**RULE, "descripton": "x"}
MESSAGE = r"^ingress\[1\] of NetworkACL has no field 'descripton' \(did you mean 'description'\?\)$"


def test_a_slip_in_a_list() -> None:
    fields: dict[str, Any] = {"ingress": [RULE, WRONG]}
    with pytest.raises(IncusArgumentError, match=MESSAGE):
        create_body("NetworkACL", ACL, fields, name="x")
    with pytest.raises(IncusArgumentError, match=MESSAGE):
        merged("NetworkACL", ACL, {"ingress": [RULE]}, fields)
    with pytest.raises(IncusArgumentError, match=MESSAGE):
        replace_body("NetworkACL", ACL, ["name"], {"name": "x", **fields})
    with pytest.raises(IncusArgumentError, match=MESSAGE):
        check_draft("NetworkACL", ACL, {"ingress": [RULE], "egress": [WRONG]}, fields)


def test_a_slip_in_a_parameter() -> None:
    with pytest.raises(IncusArgumentError, match=r"backends\[0\] of LB has no field 'port'"):
        create_body("LB", NetworkLoadBalancerPut.__annotations__, {}, backends=({"port": 80},))


def test_a_slip_in_a_map() -> None:
    body = {"templates": {"/etc/hostname": {"templte": "x", "when": ["create"]}}}
    with pytest.raises(IncusArgumentError, match=r"templates\['/etc/hostname'\] of M has .*did you mean 'template'"):
        replace_body("M", ImageMetadataDict.__annotations__, (), body)


def test_a_key_with_a_dot_where_there_is_no_configuration() -> None:
    with pytest.raises(IncusArgumentError, match=r"'user\.x' \(there are action, "):
        create_body("NetworkACL", ACL, {"ingress": [{"user.x": "1"}]})


@pytest.mark.parametrize("key", ["name", "server_name", "listen_address"])
def test_a_replacement_keeps_the_name(key: str) -> None:
    """Servers would leave it as it is without a word."""
    for said in ("a", "volume/a", ""):  # 6.0 calls a snapshot so
        assert replace_body("M", ("description",), [key], {key: said}, "a") == {key: said}
    for said in ("b", "xa"):
        with pytest.raises(IncusArgumentError, match=rf"^a replacement cannot change '{key}' of M 'a'$"):
            replace_body("M", ("description",), [key], {key: said}, "a")


def test_a_replacement_that_would_rename() -> None:
    with pytest.raises(IncusArgumentError, match=r"'name' of M 'a'; rename\(\) can$"):
        replace_body("M", ("description",), ["name"], {"name": "b"}, "a", rename=True)
    body = {"fingerprint": "abcdef"}
    assert replace_body("M", ("public",), ["fingerprint"], body, "abc") == body
    with pytest.raises(IncusArgumentError, match="'fingerprint' of M 'bc'"):
        replace_body("M", ("public",), ["fingerprint"], body, "bc")
    assert replace_body("M", ("name",), ["name"], {"name": "b"}, "a") == {"name": "b"}  # there it is a field


def test_what_the_server_has_sent_is_let_through() -> None:
    """A newer one may know more."""
    sent: dict[str, Any] = {"ingress": [{**RULE, "new": 1}, RULE], "egress": None}
    check_draft("NetworkACL", ACL, sent, sent)
    check_draft("NetworkACL", ACL, sent, {"ingress": [RULE, {**RULE, "new": 2}], "egress": [RULE]})
    assert merged("NetworkACL", ACL, sent, {"ingress": [{**RULE, "new": 2}]})["ingress"] == [{**RULE, "new": 2}]
    with pytest.raises(IncusArgumentError, match=r"egress\[0\] of NetworkACL has no field 'new'"):
        check_draft("NetworkACL", ACL, sent, {**sent, "egress": [{"new": 1}]})


def test_what_an_edit_cannot_change() -> None:
    sent: dict[str, Any] = {"name": "a", "used_by": [], "new": 1, "description": ""}
    fields = ("name", "used_by", "description", "project")
    check_draft("NetworkACL", ACL, sent, {"new": 2, "description": "x"}, fields, rename=True)
    with pytest.raises(IncusArgumentError, match=r"^an edit cannot change 'name' of NetworkACL; rename\(\) can$"):
        check_draft("NetworkACL", ACL, sent, {**sent, "name": "b"}, fields, rename=True)
    for changed in ({"name": "b"}, {"used_by": ["x"]}):
        with pytest.raises(IncusArgumentError, match=r"^an edit cannot change '(name|used_by)' of NetworkACL$"):
            check_draft("NetworkACL", ACL, sent, {**sent, **changed}, fields)


def test_an_update_of_a_name() -> None:
    with pytest.raises(IncusArgumentError, match=r"^an update cannot change 'name' of NetworkACL; rename\(\) can$"):
        merged("NetworkACL", ACL, {}, {"name": "b"}, rename=True)
    with pytest.raises(IncusArgumentError, match=r"^NetworkACL has no field 'name' \("):
        merged("NetworkACL", ACL, {}, {"name": "b"})
    with pytest.raises(IncusArgumentError, match=r"^NetworkACL has no field 'nam' \("):
        merged("NetworkACL", ACL, {}, {"nam": "b"}, rename=True)


@pytest.mark.parametrize("rules", [None, [], (RULE,), [MappingProxyType(RULE)]])
def test_lists_as_they_should_be(rules: Any) -> None:
    assert create_body("NetworkACL", ACL, {"ingress": rules}).get("ingress") == rules


@pytest.mark.parametrize("rules", ["allow", 5, ["allow"], [None]])
def test_what_is_no_list_of_objects_is_left_to_others(rules: Any) -> None:
    assert create_body("NetworkACL", ACL, {"ingress": rules}) == {"ingress": rules}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "^file must be bytes, the Path of a file or an iterator of bytes, not NoneType; or else$"),
        ({"type": "none"}, "not dict; or else$"),
        ("web.tar.gz", r"not str; write Path\(\.\.\.\) around the name of a file$"),
    ],
)
def test_what_cannot_be_uploaded(source: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        check_upload(source, "file", "; or else")
