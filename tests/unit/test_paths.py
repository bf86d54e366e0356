"""Paths: whatever a name is, it addresses itself and nothing else."""

from __future__ import annotations

import os
import string
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incus_sdk import IncusArgumentError
from incus_sdk._paths import add_query, fill, name_and_project, quote_file, quote_name, raw_name
from incus_sdk._requests import LABEL, label, scoped_target

UNICODE = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = UNICODE.filter(lambda name: name not in {"", ".", ".."} and "\0" not in name)
TARGET = set(string.ascii_letters + string.digits + "-._~%/?&=")


@given(NAMES)
@settings(deadline=None)
def test_a_name_is_one_segment(name: str) -> None:
    quoted = quote_name(name)
    assert unquote(quoted) == name
    assert set(quoted) <= TARGET - set("/?&=")


@given(NAMES, NAMES)
@settings(deadline=None)
def test_filled_templates_are_read_back(name: str, project: str) -> None:
    path = fill("/1.0/instances/{name}", {"name": name})
    assert path.count("/") == 3
    assert name_and_project(path) == (name, "default")
    assert name_and_project(add_query(path, {"project": project})) == (name, project)


@pytest.mark.parametrize("volume", ["v", "a#b", "a?b", "a%2fb"])
@pytest.mark.parametrize("name", ["s", "s#1", "s?1", "s%41", "ü", "a b"])
def test_what_a_server_has_not_quoted(volume: str, name: str) -> None:
    url = f"/1.0/storage-pools/default/volumes/custom/{volume}/snapshots/{name}"
    assert raw_name(url) == raw_name(f"{url}?project=a%23b") == name


@given(st.dictionaries(UNICODE, UNICODE, max_size=4))
@settings(deadline=None)
def test_queries_are_read_back(query: dict[str, str]) -> None:
    target = add_query("/1.0", dict(query))
    assert set(target) <= TARGET
    assert dict(parse_qsl(urlsplit(target).query, keep_blank_values=True)) == query


@given(NAMES, NAMES, st.dictionaries(NAMES, UNICODE, max_size=2))
@settings(deadline=None)
def test_a_scope_gets_through_or_gives_way(project: str, target: str, params: dict[str, object]) -> None:
    before = dict(params)
    sent = scoped_target("/1.0?recursion=1", params, project, target)
    expected = {"recursion": "1", **params} | {"project": params.get("project", project)}
    assert dict(parse_qsl(urlsplit(sent).query, keep_blank_values=True)) == expected | {
        "target": params.get("target", target)
    }
    assert params == before


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("web", "web"),
        ("a/b", "a%2Fb"),
        ("../etc", "..%2Fetc"),
        ("...", "..."),
        ("%2e%2e", "%252e%252e"),
        ("x?recursion=1#y", "x%3Frecursion%3D1%23y"),
        ("{name}", "%7Bname%7D"),
        ("a b\r\n", "a%20b%0D%0A"),
        ("ü", "%C3%BC"),
    ],
)
def test_quoting(name: str, quoted: str) -> None:
    assert quote_name(name) == quoted
    assert fill("/1.0/x/{x}/y", {"x": name}) == f"/1.0/x/{quoted}/y"


@pytest.mark.parametrize("name", ["", ".", "..", "a\0b"])
def test_what_addresses_something_else(name: str) -> None:
    with pytest.raises(IncusArgumentError, match="cannot be a name: it would address something else"):
        quote_name(name)


def test_what_is_no_text() -> None:
    with pytest.raises(IncusArgumentError, match="no Unicode text") as caught:
        quote_name("a\ud800")
    str(caught.value).encode()  # the message can be printed
    with pytest.raises(IncusArgumentError, match="no Unicode text"):
        quote_name("a\udcff")  # a file's name can be any bytes, an object's cannot
    with pytest.raises(IncusArgumentError, match=r"^secret is no Unicode text$") as caught:
        add_query("/1.0", {"secret": "hush\ud800"})
    assert caught.value.__context__ is None


def test_long_names_are_cut_in_messages() -> None:
    with pytest.raises(IncusArgumentError) as caught:
        quote_name("n" * 10_000 + "\0")
    assert len(str(caught.value)) < 200


# -- files ------------------------------------------------------------------------------------------------------------


@given(st.binary(min_size=1).filter(lambda path: b"\0" not in path))
@settings(deadline=None)
def test_any_name_of_a_file_gets_through(path: bytes) -> None:
    quoted = quote_file(path)
    assert set(quoted) <= TARGET - set("?&=")
    assert parse_qsl(f"path={quoted}", encoding="utf-8", errors="surrogateescape") == [("path", os.fsdecode(path))]
    assert quote_file(os.fsdecode(path)) == quoted


@pytest.mark.parametrize(
    ("path", "quoted"),
    [
        ("/etc/a b", "/etc/a%20b"),
        ("/a&path=x?#+%", "/a%26path%3Dx%3F%23%2B%25"),
        (PurePosixPath("/etc/x"), "/etc/x"),
        (Path("/etc/ü"), "/etc/%C3%BC"),
        ("/tmp/\udcff", "/tmp/%FF"),
        (b"/tmp/\xff", "/tmp/%FF"),
    ],
)
def test_paths_of_files(path: str | bytes | PurePosixPath, quoted: str) -> None:
    assert quote_file(path) == quoted


@pytest.mark.parametrize("path", ["", b"", "/a\0b", b"/a\0b", "/\ud800", "/" + "x" * 10_000 + "\0"])
def test_what_is_no_path_of_a_file(path: Any) -> None:
    with pytest.raises(IncusArgumentError, match=r"cannot be the path of a file|path is no Unicode text") as caught:
        quote_file(path)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("path", [None, 5, ["/etc"], bytearray(b"/etc"), PureWindowsPath("c:/x")])
def test_paths_of_the_wrong_type(path: Any) -> None:
    with pytest.raises(TypeError, match=f"path must be a str, bytes or a PurePosixPath, not {type(path).__name__}"):
        quote_file(path)


# -- requests in messages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/1.0", "GET /1.0"),
        ("/1.0/x?secret=hush", "GET /1.0/x"),
        ("/1.0/x/files?path=/etc/a%20b", "GET /1.0/x/files?path=/etc/a%20b"),
        ("/1.0/x/files?secret=hush&path=/etc/x&project=p", "GET /1.0/x/files?path=/etc/x"),
        ("/1.0/x?xpath=hush", "GET /1.0/x"),
    ],
)
def test_labels(path: str, text: str) -> None:
    assert label("GET", path) == text


def test_long_labels_are_cut_in_the_middle() -> None:
    text = label("GET", f"/1.0/instances/{'n' * 10_000}/exec")
    assert len(text) == LABEL
    assert text.startswith("GET /1.0/instances/nnn")
    assert text.endswith("nnn/exec")
    assert "…" in text
    longest = f"/{'n' * (LABEL - 5)}"
    assert label("GET", longest) == f"GET {longest}"


@pytest.mark.parametrize("name", [None, 5, b"web", ["web"]])
def test_what_is_no_name(name: Any) -> None:
    with pytest.raises(TypeError, match="a name must be a str, not"):
        quote_name(name)


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ({}, "/1.0"),
        ({"a": None}, "/1.0"),
        ({"a": True, "b": False, "c": 5, "d": ""}, "/1.0?a=true&b=false&c=5&d="),
        ({"filter": 'name eq "a b"&x'}, "/1.0?filter=name%20eq%20%22a%20b%22%26x"),
    ],
)
def test_queries(query: dict[str, object], target: str) -> None:
    assert add_query("/1.0", query) == target
    assert add_query("/1.0?x=1", query) == target.replace("?", "&").replace("/1.0", "/1.0?x=1")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("/1.0/instances/web", ("web", "default")),
        ("/1.0/instances/web?project=shop", ("web", "shop")),
        ("/1.0/images/aliases/debian%2F13?project=a+b%2Fc", ("debian/13", "a b/c")),
        ("/1.0/profiles/web#config.user.x", ("web", "default")),
        ("/1.0/storage-pools/p/volumes/custom/v?target=n&project=shop", ("v", "shop")),
        ("", ("", "default")),
        ("//[odd", ("[odd", "default")),
    ],
)
def test_urls_of_lists(url: str, found: tuple[str, str]) -> None:
    assert name_and_project(url) == found
