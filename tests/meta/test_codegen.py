"""The generators: what is committed is what they write, and they write what they should."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import pytest

from codegen import files, models, spec, sync
from codegen.__main__ import main
from codegen.layout import Layout

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

    @pytest.mark.parametrize("section", ["fields", "homes", "nullable", "secret", "unnamed", "unsent"])
    def test_overrides_for_what_does_not_exist_are_refused(self, project: Path, section: str) -> None:
        overrides = project / "schema/overrides.toml"
        text = overrides.read_text()
        overrides.write_text(text.replace(f"[{section}]\n", f"[{section}]\nInvented = []\n") + "\n[fields.Invented]\n")
        with pytest.raises(spec.SpecError, match=r"overrides\.toml.*Invented"):
            spec.load(project / "schema")

    def test_unknown_group_is_refused(self, project: Path) -> None:
        overrides = project / "schema/overrides.toml"
        overrides.write_text(overrides.read_text().replace('"operations",', '"operatoins",'))
        with pytest.raises(spec.SpecError, match="operatoins"):
            spec.load(project / "schema")


@pytest.fixture(scope="class")
def everything(tmp_path_factory: pytest.TempPathFactory, facts: spec.Spec) -> Path:
    """A folder with a package that has the models of all groups, `everything.models`."""
    folder = tmp_path_factory.mktemp("models")
    for path, text in models.render(facts, facts.all_groups).items():
        target = folder / "everything" / path.relative_to("incus_sdk")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    for name in ("types.py", "models/_base.py", "models/progress.py"):
        shutil.copy(ROOT / "incus_sdk" / name, folder / "everything" / name)
    (folder / "everything/__init__.py").touch()
    ruff(folder, "format")
    return folder


def ruff(folder: Path, *arguments: str) -> str:
    command = [
        sys.executable,
        "-m",
        "ruff",
        *arguments,
        "--quiet",
        "--no-cache",
        "--config",
        str(ROOT / "pyproject.toml"),
    ]
    return subprocess.run(
        [*command, "everything/models"], cwd=folder, capture_output=True, text=True, check=False
    ).stdout


class TestAllGroups:
    def test_every_definition_has_a_place(self, facts: spec.Spec) -> None:
        layout = Layout(facts, facts.all_groups)
        left = facts.definitions.keys() - layout.structs - layout.dicts
        plain = {name for name in left if facts.definitions[name].is_plain}
        assert left - plain == {"Instance"}  # a part of InstanceFull
        assert len(facts.definitions) == 223

    def test_everything_can_be_imported_and_decoded(self, everything: Path) -> None:
        script = """
import msgspec
from everything import models
found = [getattr(models, name) for name in models.__all__]
structs = [item for item in found if isinstance(item, type) and issubclass(item, models.Model)]
for struct in structs:
    empty = msgspec.json.decode(b"{}", type=struct)
    assert struct.from_dict(empty.to_dict()) == empty, struct
print(len(structs))
"""
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", script], cwd=everything, capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        assert int(done.stdout) > 100

    def test_lint(self, everything: Path) -> None:
        assert ruff(everything, "check", "--output-format", "concise") == ""

    def test_more_groups_move_nothing(self, facts: spec.Spec) -> None:
        few, all_of_them = Layout(facts, facts.groups).all_names(), Layout(facts, facts.all_groups).all_names()
        assert few.items() <= all_of_them.items()


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
            ("_transport:WebSocket", "sync._streams:WebSocket"),
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
