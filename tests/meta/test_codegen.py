"""The generators: what is committed is what they write, and they write what they should."""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import pytest

from codegen import files, spec, sync
from codegen.__main__ import main
from codegen.descriptions import Descriptions
from codegen.layout import Layout
from incus_sdk import models as public_models

ROOT = Path(__file__).parent.parent.parent
TWINS = sorted(
    path.with_suffix("").relative_to(ROOT / "incus_sdk" / "sync").as_posix().replace("/", ".")
    for path in [ROOT / "incus_sdk/sync/client.py", ROOT / "incus_sdk/sync/operations.py"]
    + [path for path in (ROOT / "incus_sdk/sync/api").glob("*.py") if path.name != "__init__.py"]
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the generators read and write."""
    shutil.copytree(ROOT / "schema", tmp_path / "schema")
    shutil.copytree(ROOT / "incus_sdk", tmp_path / "incus_sdk", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


class TestCheck:
    def test_what_is_committed_is_up_to_date(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--check"]) == 0, capsys.readouterr().out

    def test_differences_are_listed_and_nothing_is_written(
        self, project: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        generated = project / "incus_sdk/models/_generated"
        (generated / "instances.py").write_text("edited")
        (generated / "server.py").unlink()
        (project / "incus_sdk/sync/api/forgotten.py").write_text("")
        assert main(["--check", "--root", str(project)]) == 1
        out, hint = capsys.readouterr()
        assert out.splitlines() == [
            "incus_sdk/models/_generated/instances.py: stale",
            "incus_sdk/models/_generated/server.py: missing",
            "incus_sdk/sync/api/forgotten.py: left over",
        ]
        assert "python -m codegen" in hint
        assert (generated / "instances.py").read_text() == "edited"

    def test_writing_makes_it_clean(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (project / "incus_sdk/sync/client.py").unlink()
        (project / "incus_sdk/sync/api/forgotten.py").write_text("")
        assert main(["--root", str(project)]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 2
        assert main(["--check", "--root", str(project)]) == 0


@pytest.fixture(scope="module")
def facts() -> spec.Spec:
    return spec.load()


class TestSpec:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("string", spec.Type("scalar", "string")),
            ("string:date-time", spec.Type("scalar", "string:date-time")),
            ("list[Instance]", spec.Type("list", item=spec.Type("definition", "Instance"))),
            ("map[string, any]", spec.Type("map", item=spec.Type("scalar", "any"))),
            (
                "map[string,map[string,list[integer:uint8]]]",
                spec.Type(
                    "map", item=spec.Type("map", item=spec.Type("list", item=spec.Type("scalar", "integer:uint8")))
                ),
            ),
        ],
    )
    def test_types(self, text: str, expected: spec.Type) -> None:
        assert spec.Type.parse(text) == expected

    @pytest.mark.parametrize("text", ["", "map[integer, string]", "A | B", "list[]"])
    def test_types_that_cannot_be_read(self, text: str) -> None:
        with pytest.raises(spec.SpecError):
            spec.Type.parse(text)

    @pytest.mark.parametrize("section", ["bound", "fields", "homes", "nullable", "secret", "unnamed", "unsent"])
    def test_overrides_for_what_does_not_exist_are_refused(self, project: Path, section: str) -> None:
        overrides = project / "schema/overrides.toml"
        text = overrides.read_text()
        value = '["Invented"]' if section == "bound" else "[]"
        invented = text.replace(f"[{section}]\n", f"[{section}]\nInvented = {value}\n")
        overrides.write_text(invented if section != "fields" else f"{text}\n[fields.Invented]\n")
        with pytest.raises(spec.SpecError, match=r"overrides\.toml.*Invented"):
            spec.load(project / "schema")

    def test_unknown_group_is_refused(self, project: Path) -> None:
        overrides = project / "schema/overrides.toml"
        overrides.write_text(overrides.read_text().replace('"operations",', '"operatoins",'))
        with pytest.raises(spec.SpecError, match="operatoins"):
            spec.load(project / "schema")


def keys(name: str) -> set[str]:
    """The keys on the wire of a class or a dictionary in `incus_sdk.models`."""
    found = getattr(public_models, name)
    return set(getattr(found, "__struct_encode_fields__", None) or found.__annotations__)


class TestEverything:
    """All definitions of the facts are there, with all that they have."""

    def test_all_groups_are_generated(self, facts: spec.Spec) -> None:
        assert facts.groups == facts.all_groups

    def test_every_definition_has_a_place(self, facts: spec.Spec) -> None:
        layout = Layout(facts, facts.groups)
        left = facts.definitions.keys() - layout.structs - layout.dicts
        plain = {name for name in left if facts.definitions[name].is_plain}
        assert left - plain == {"Instance", "StorageBucket", "StorageVolume"}  # parts of their Full forms
        assert len(facts.definitions) == 223

    def test_every_field_of_every_model(self, facts: spec.Spec) -> None:
        layout, unsent = Layout(facts, facts.groups), facts.overrides["unsent"]
        structs = [facts.definitions[name] for name in layout.structs if facts.definitions[name].fields]
        for definition in structs:
            expected = set(facts.facts["definitions"][definition.name]["fields"]) - set(unsent.get(definition.name, ()))
            assert keys(layout.struct_name(definition.name)) >= expected, definition.name
        assert len(structs) > 100

    def test_every_field_of_every_body(self, facts: spec.Spec) -> None:
        layout = Layout(facts, facts.groups)
        dicts = [name for name in layout.dicts if facts.definitions[name].fields]
        for name in dicts:
            assert keys(layout.dict_name(name)) == set(facts.facts["definitions"][name]["fields"]), name
        for name in layout.bodies:
            assert keys(layout.body_name(name)) == keys(layout.dict_name(name)), name
        assert len(dicts) > 90

    def test_whatever_is_written_back_under_its_etag_has_a_draft(self, facts: spec.Spec) -> None:
        layout = Layout(facts, facts.groups)
        read = {use.path for use in facts.uses if (use.method, use.role) == ("GET", "response")}
        written = {
            name
            for use in facts.uses
            if (use.method, use.role) == ("PUT", "request") and use.path in read
            for name in use.definitions
        }
        assert written - layout.bodies == {"ClusterPut", "InstancesPut", "InstanceStatePut"}  # commands, no definitions


@pytest.fixture
def words() -> Descriptions:
    sections = {"Net": {"*": "A net.", "a": "A."}, "NetPut": {"b": "B of put."}, "any": {"b": "B.", "c": "C."}}
    return Descriptions({**sections, "like": {"Other": "Net"}})


class TestDescriptions:
    @pytest.mark.parametrize(
        ("definition", "key", "expected"),
        [
            ("Net", "a", "A."),
            ("NetPut", "a", "A."),
            ("NetsPost", "a", "A."),
            ("NetFull", "a", "A."),
            ("Other", "a", "A."),
            ("Third", "a", ""),
            ("Net", "b", "B."),
            ("NetPut", "b", "B of put."),
            ("Third", "c", "C."),
        ],
    )
    def test_forms_of_one_thing_share_them(self, words: Descriptions, definition: str, key: str, expected: str) -> None:
        assert words.field(definition, key) == expected

    def test_whole(self, words: Descriptions) -> None:
        assert (words.whole("Net"), words.whole("NetPut"), words.whole("Other")) == ("A net.", "", "")

    def test_all_are_about_something(self, words: Descriptions) -> None:
        words.check({"Net": ["a", "b", "c"], "NetPut": ["b"], "Other": []})

    @pytest.mark.parametrize(
        ("definitions", "complaint"),
        [
            ({"Net": ["b", "c"], "NetPut": ["b"], "Other": []}, r"\[Net\] a"),
            ({"Net": ["a", "c"], "NetPut": ["a"], "Other": []}, r"\[NetPut\] b"),
            ({"Net": ["a", "b"], "NetPut": ["b"], "Other": []}, r"\[any\] c"),
            ({"NetPut": ["a", "b", "c"], "Other": []}, r"\[Net\] \*"),
            ({"Net": ["a", "b", "c"], "NetPut": ["b"]}, r"\[like\] Other"),
        ],
    )
    def test_words_about_nothing_are_refused(
        self, words: Descriptions, definitions: dict[str, list[str]], complaint: str
    ) -> None:
        with pytest.raises(spec.SpecError, match=complaint):
            words.check(definitions)

    def test_they_are_in_the_code(self) -> None:
        text = (ROOT / "incus_sdk/models/_generated/networks.py").read_text()
        assert 'forward_delay: int = 0\n    """In hundredths of a second."""' in text
        assert "``" not in text

    def test_code_is_not_broken_at_line_ends(self) -> None:
        for path in (ROOT / "incus_sdk/models/_generated").glob("*.py"):
            for line in path.read_text().splitlines():
                assert line.count("`") % 2 == 0, f"{path.name}: {line}"


class TestModels:
    def test_keywords_of_create_are_the_request_without_the_parameters(self, facts: spec.Spec) -> None:
        from incus_sdk.models import InstanceCreateFields

        entry = facts.overrides["keywords"]["InstanceCreateFields"]
        keys = {field.key for field in facts.definitions["InstancesPost"].fields}
        assert set(entry["without"]) < keys
        assert InstanceCreateFields.__annotations__.keys() == keys - set(entry["without"])

    def test_a_draft_has_the_keys_of_its_definition(self) -> None:
        from incus_sdk.models import InstanceBody, InstancePut

        assert InstanceBody.__annotations__.keys() == InstancePut.__annotations__.keys()
        assert InstanceBody.__required_keys__ == InstancePut.__annotations__.keys() - {"restore", "disk_only"}

    @pytest.mark.parametrize("version", ["6.0", "7.0"])
    def test_a_draft_promises_what_servers_send(self, version: str) -> None:
        from incus_sdk.models import InstanceBody

        answer = json.loads((ROOT / f"tests/unit/data/{version}/instance.json").read_text())
        assert answer.keys() >= InstanceBody.__required_keys__


class TestSync:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("async def f() -> None:\n    await g()\n", "def f() -> None:\n    g()\n"),
            ('"""An `async with` block.\n\n    async for x in y:"""', '"""An `with` block.\n\n    for x in y:"""'),
            ("Make it in an `async with` block.", "Make it in a `with` block."),
            ('f"{await x.read()}"', 'f"{x.read()}"'),
            ('{"type": "async"}', '{"type": "async"}'),
            ("awaiting = asynchronous", "awaiting = asynchronous"),
        ],
    )
    def test_words(self, before: str, after: str) -> None:
        assert sync.words(before, PurePosixPath("api/things.py"), set()) == after

    @pytest.mark.parametrize(
        "text", ["class A(AsyncIterable[int]): ...", "def __aiter__(self): ...", "async with(x): ..."]
    )
    def test_words_without_an_entry_are_refused(self, text: str) -> None:
        with pytest.raises(sync.SyncError, match=r"incus_sdk/api/things\.py"):
            sync.words(f"{text}\n[await_ async for x in y]\nx = __aexit\nasync", PurePosixPath("api/things.py"), set())

    @pytest.mark.parametrize(
        ("path", "before", "after"),
        [
            ("client.py", "from .api_client import A", "from ._bridge import A"),
            ("client.py", "from .operations import A", "from .operations import A"),
            ("client.py", "        from .api.things import A", "        from .api.things import A"),
            ("client.py", "from .exceptions import A", "from ..exceptions import A"),
            ("api/things.py", "from ..api_client import A", "from .._bridge import A"),
            ("api/things.py", "from ..models._generated.x import A", "from ...models._generated.x import A"),
            ("api/things.py", "from ..operations import A", "from ..operations import A"),
            ("api/things.py", "from .things import A", "from .things import A"),
            ("api/things.py", "from ._helpers import A", "from ...api._helpers import A"),
            ("api/things.py", "from os import path", "from os import path"),
        ],
    )
    def test_imports(self, path: str, before: str, after: str) -> None:
        twins = {PurePosixPath(name): "" for name in ("client.py", "operations.py", "api/things.py")}
        assert sync.imports(before, PurePosixPath(path), twins, set()) == after

    def test_an_entry_that_nothing_needs_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sync.render(ROOT)
        monkeypatch.setitem(sync.WORDS, r"\bNeverWritten\b", "")
        with pytest.raises(sync.SyncError, match="NeverWritten"):
            sync.render(ROOT)
        monkeypatch.delitem(sync.WORDS, r"\bNeverWritten\b")
        monkeypatch.setitem(sync.IMPORTS, "gone", "")
        with pytest.raises(sync.SyncError, match="gone"):
            sync.render(ROOT)


def public(owner: ModuleType | type) -> Iterator[tuple[str, Any]]:
    """What a module or a class defines itself, private helpers aside."""
    home = owner.__name__ if isinstance(owner, ModuleType) else owner.__module__
    for name, value in vars(owner).items():
        is_ours = getattr(value, "__module__", home) == home
        if is_ours and (not name.startswith("_") or name in {"__init__", "__enter__", "__exit__"}):
            yield name, value


def members(owner: type) -> dict[str, Any]:
    names = {"__aenter__": "__enter__", "__aexit__": "__exit__"}
    return {
        names.get(name, name): value for name, value in vars(owner).items() if callable(value) or _is_property(value)
    }


def _is_property(value: object) -> bool:
    return isinstance(value, property) or type(value).__name__ == "cached_property"


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    return [(item.name, item.kind, item.default) for item in inspect.signature(function).parameters.values()]


class TestBothFaces:
    @pytest.mark.parametrize("module", TWINS)
    def test_same_classes_methods_and_parameters(self, module: str) -> None:
        one, other = import_module(f"incus_sdk.{module}"), import_module(f"incus_sdk.sync.{module}")
        assert dict(public(one)).keys() == dict(public(other)).keys()
        for name, value in public(one):
            if inspect.isclass(value):
                compare_classes(value, getattr(other, name))
            elif inspect.isfunction(value):
                assert parameters(value) == parameters(getattr(other, name))

    def test_nothing_in_the_sync_face_is_a_coroutine(self) -> None:
        for module in TWINS:
            for _, value in public(import_module(f"incus_sdk.sync.{module}")):
                for name, member in vars(value).items() if inspect.isclass(value) else ():
                    assert not inspect.iscoroutinefunction(member), f"{value}.{name}"
                    assert not inspect.isasyncgenfunction(member), f"{value}.{name}"

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("api_client:APIClient", "sync._bridge:APIClient"),
            ("_transport:StreamResponse", "sync._streams:StreamResponse"),
            ("_transport.websocket:WebSocket", "sync._streams:WebSocket"),
            ("_transport:RawStream", "sync._streams:RawStream"),
        ],
    )
    def test_the_bridge_has_all_that_the_async_client_has(self, one: str, other: str) -> None:
        asynchronous, synchronous = (
            getattr(import_module(f"incus_sdk.{module}"), name)
            for module, _, name in (text.partition(":") for text in (one, other))
        )
        called_by_the_connection = {"attach", "feed", "eof", "lost", "counting", "silent"}
        for name, value in members(asynchronous).items():
            if name.startswith("_") or name in called_by_the_connection:
                continue
            assert hasattr(synchronous, name), name
            if callable(value):
                assert parameters(value) == parameters(getattr(synchronous, name)), name


def compare_classes(one: type, other: type) -> None:
    assert members(one).keys() == members(other).keys()
    for name, value in members(one).items():
        if inspect.isfunction(value):
            assert parameters(value) == parameters(members(other)[name]), f"{one.__name__}.{name}"


def test_files_are_formatted_as_the_project_is() -> None:
    path = PurePosixPath("incus_sdk/models/_generated/x.py")
    text = "from ..b import c\nimport a\nx = {'a':1}\nprint(a, c)\n"
    formatted = files.formatted({path: text}, ROOT)[path]
    assert formatted == 'import a\n\nfrom ..b import c\n\nx = {"a": 1}\nprint(a, c)\n'
