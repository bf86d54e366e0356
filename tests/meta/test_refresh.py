"""Reading published descriptions of the API, and bringing the facts up to date with them."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codegen import swagger
from codegen.__main__ import main
from codegen.refresh import refresh
from codegen.spec import Type

ROOT = Path(__file__).parent.parent.parent

THING: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "size": {"type": "integer", "format": "uint64", "description": "Size.\n\nAPI extension: thing_size"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "parts": {"type": "object", "additionalProperties": {"$ref": "#/definitions/Part"}},
        "extra": {"description": "List of supported API extensions"},
        "made_at": {"type": "string", "format": "date-time"},
    },
}


def envelope(metadata: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"schema": {"type": "object", "properties": {"type": {"type": "string"}, "metadata": metadata}}}}


def operation(name: str, responses: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    return {"operationId": name, "parameters": [*parameters], "responses": {**responses, "400": {}}}


def in_query(name: str, kind: str = "string") -> dict[str, Any]:
    return {"in": "query", "name": name, "type": kind}


def document() -> dict[str, Any]:
    """A description of an API with things."""
    thing = {"$ref": "#/definitions/Thing"}
    urls = {"type": "array", "items": {"type": "string"}}
    body = {"in": "body", "name": "thing", "schema": {"$ref": "#/definitions/ThingPut"}}
    paths = {
        "/1.0/things": {"get": operation("things_get", envelope(urls), in_query("filter"))},
        "/1.0/things?recursion=1": {"get": operation("things_get1", envelope({"type": "array", "items": thing}))},
        "/1.0/things?public&recursion=1": {
            "get": operation("things_get_public", envelope({"type": "array", "items": thing}))
        },
        "/1.0/things/{thingName}": {
            "get": operation("thing_get", envelope(thing)),
            "put": operation("thing_put", {"202": {"$ref": "#/responses/Operation"}}, body),
        },
        "/1.0/things/{thingName}/export": {
            "get": operation("thing_export", {"200": {}}) | {"produces": ["application/octet-stream"]}
        },
    }
    empty: dict[str, Any] = {"type": "object", "properties": {}}
    definitions = {"Thing": THING, "Part": {"type": "object"}, "ThingPut": empty}
    return copy.deepcopy({"swagger": "2.0", "paths": paths, "definitions": definitions})


class TestReading:
    def test_definitions(self) -> None:
        assert swagger.parse(document()).definitions == {
            "Part": {"alias_of": "map[string, any]"},
            "ThingPut": {"fields": {}},
            "Thing": {
                "fields": {
                    "extra": {"type": "any"},
                    "made_at": {"type": "string:date-time"},
                    "name": {"type": "string"},
                    "parts": {"type": "map[string, Part]"},
                    "size": {"type": "integer:uint64", "extension": "thing_size"},
                    "tags": {"type": "list[string]"},
                }
            },
        }

    def test_calls(self) -> None:
        calls = swagger.parse(document()).calls
        assert {(method, path): call.kind for (method, path), call in calls.items()} == {
            ("GET", "/1.0/things"): "sync",
            ("GET", "/1.0/things/{thingName}"): "sync",
            ("PUT", "/1.0/things/{thingName}"): "async-operation",
            ("GET", "/1.0/things/{thingName}/export"): "raw/binary",
        }
        assert calls["GET", "/1.0/things"] == swagger.Call(
            operation_id="things_get",
            kind="sync",
            success_codes=["200"],
            request=None,
            response="list[string]",
            query={"filter": "string"},
            deeper={1: "list[Thing]"},
            is_public=True,
        )
        assert calls["PUT", "/1.0/things/{thingName}"].request == "ThingPut"
        assert calls["PUT", "/1.0/things/{thingName}"].response == "Operation"

    @pytest.mark.parametrize("text", ["[]", "{}", '{"paths": {}}', '{"paths": {"/": {"get": {}}}, "definitions": {}}'])
    def test_what_is_no_description(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "api.json").write_text(text)
        with pytest.raises(swagger.SwaggerError, match=r"api\.json"):
            swagger.read(tmp_path / "api.json")


def facts() -> dict[str, Any]:
    """What was known of that API: two releases and a development head."""
    everywhere = ["1.0", "2.0", "main"]
    call = {"group": "things", "kind": "sync", "success_codes": ["200"], "request": None, "etag": False}
    call |= {"allow_untrusted": False, "in": everywhere, "api_extension": None}
    level = {"level": 1, "operationId": "", "response": "list[Thing]", "public": False}
    level |= {"in_spec": dict.fromkeys(everywhere, True)}
    result: dict[str, Any] = {
        "source": {"1.0": "Things 1.0.4", "2.0": "Things 2.0.1", "main": "Things, August"},
        "operations": [
            call
            | {"path": "/1.0/things", "method": "GET", "response": "list[string]", "recursion": [level]}
            | {"query": [{"name": "filter", "type": "string"}, {"name": "project", "undocumented": True}]},
            call | {"path": "/1.0/things/{name}", "method": "GET", "response": "Thing", "etag": True},
            call | {"path": "/1.0/things/{name}", "method": "PUT", "request": "ThingPut | raw bytes", "response": None},
            call | {"path": "/1.0/things/{name}/export", "method": "GET", "kind": "raw/binary", "response": None},
        ],
        "definitions": {
            "Part": {"in": everywhere, "alias_of": "map[string, any]"},
            "Thing": {
                "in": everywhere,
                "fields": swagger.parse(document()).definitions["Thing"]["fields"],
            },
            "ThingPut": {"in": everywhere, "fields": {}},
        },
    }
    return copy.deepcopy(result)


Change = Callable[[dict[str, Any]], object]


def refreshed(
    version: str, definitions: Change | None = None, paths: Change | None = None, ignored: str = ""
) -> tuple[dict[str, Any], list[str]]:
    """Refresh with the document as it is after some changes; return the facts, and what was said."""
    known, published = json.loads(json.dumps(facts())), document()  # nothing in it is shared
    for part, change in (("definitions", definitions), ("paths", paths)):
        if change:
            change(published[part])
    said = refresh(known, version, swagger.parse(published), {ignored})
    return known, said


class TestRefreshing:
    @pytest.mark.parametrize("version", ["1.0", "2.0", "main"])
    def test_nothing_new(self, version: str) -> None:
        assert refreshed(version) == (facts(), [])

    def test_a_version_like_the_one_before(self) -> None:
        known, said = refreshed("3.0")
        assert said == []
        assert list(known["source"]) == ["1.0", "2.0", "3.0", "main"]
        versions = ["1.0", "2.0", "3.0", "main"]
        assert known["definitions"]["Thing"]["in"] == known["operations"][0]["in"] == versions
        assert list(known["operations"][0]["recursion"][0]["in_spec"]) == versions
        assert refresh(copy.deepcopy(known), "3.0", swagger.parse(document()), set()) == []

    def test_a_new_field(self) -> None:
        new = {"type": "boolean", "description": "API extension: thing_loud"}
        known, said = refreshed("main", definitions=lambda known: known["Thing"]["properties"].update(loud=new))
        assert said == ["+ Thing.loud: also in main"]
        assert known["definitions"]["Thing"]["fields"]["loud"] == {
            "type": "boolean",
            "extension": "thing_loud",
            "in": ["main"],
        }

    def test_a_field_that_is_gone(self) -> None:
        def remove(definitions: dict[str, Any]) -> None:
            del definitions["Thing"]["properties"]["tags"]

        known, said = refreshed("main", definitions=remove)
        assert said == ["- Thing.tags: not in main"]
        assert known["definitions"]["Thing"]["fields"]["tags"]["in"] == ["1.0", "2.0"]

    @pytest.mark.parametrize(("version", "expected"), [("main", "list[string]"), ("1.0", "string")])
    def test_the_newest_version_decides_on_types(self, version: str, expected: str) -> None:
        def change(definitions: dict[str, Any]) -> None:
            definitions["Thing"]["properties"]["name"] = {"type": "array", "items": {"type": "string"}}

        known, said = refreshed(version, definitions=change)
        assert known["definitions"]["Thing"]["fields"]["name"]["type"] == expected
        assert said == (["* Thing.name: list[string], not string"] if version == "main" else [])

    def test_a_definition_comes_and_one_goes(self) -> None:
        def change(definitions: dict[str, Any]) -> None:
            del definitions["Part"], definitions["Thing"]
            definitions["Whole"] = {"type": "object", "properties": {"name": {"type": "string"}}}

        known, said = refreshed("main", definitions=change)
        assert said == ["- Part: not in main", "- Thing: not in main", "+ Whole: new in main"]
        assert known["definitions"]["Thing"]["in"] == ["1.0", "2.0"]
        assert all("in" not in field for field in known["definitions"]["Thing"]["fields"].values())
        assert known["definitions"]["Whole"] == {"in": ["main"], "fields": {"name": {"type": "string"}}}
        assert list(known["definitions"]) == sorted(known["definitions"])

    def test_a_new_call(self) -> None:
        new = {"/1.0/things/{thingName}/nod": {"post": operation("thing_nod", envelope({}), in_query("project"))}}
        known, said = refreshed("main", paths=lambda paths: paths.update(new))
        assert said == ["+ POST /1.0/things/{thingName}/nod: new; look at group, api_extension, etag, kind and notes"]
        added = next(call for call in known["operations"] if call["method"] == "POST")
        assert (added["group"], added["in"], added["kind"]) == ("things", ["main"], "sync")
        assert added["query"] == [{"name": "project", "type": "string"}]

    def test_a_call_that_is_gone(self) -> None:
        known, said = refreshed("main", paths=lambda paths: paths.pop("/1.0/things/{thingName}/export"))
        assert said == ["- GET /1.0/things/{name}/export: not in main"]
        assert known["operations"][-1]["in"] == ["1.0", "2.0"]

    def test_a_call_can_do_more(self) -> None:
        def change(paths: dict[str, Any]) -> None:
            paths["/1.0/things"]["get"]["parameters"].append(in_query("all-projects", "boolean"))
            paths["/1.0/things?recursion=2"] = paths["/1.0/things?recursion=1"]

        known, said = refreshed("main", paths=change)
        assert said == [
            "+ GET /1.0/things: ?all-projects= (boolean)",
            "+ GET /1.0/things: recursion=2 returns list[Thing]; look at api_extension",
        ]
        assert known["operations"][0]["recursion"][1]["in_spec"] == {"1.0": False, "2.0": False, "main": True}

    def test_another_body_is_for_a_person_to_decide(self) -> None:
        def change(paths: dict[str, Any]) -> None:
            paths["/1.0/things/{thingName}"]["put"]["parameters"][0]["schema"]["$ref"] = "#/definitions/Part"

        known, said = refreshed("main", paths=change)
        assert said == [
            "! PUT /1.0/things/{name}: the request is said to be Part, not ThingPut | raw bytes; look at it"
        ]
        assert known == facts()

    def test_a_call_that_is_known_to_be_misdescribed(self) -> None:
        def change(paths: dict[str, Any]) -> None:
            item = paths["/1.0/things/{thingName}"]
            item["patch"] = item.pop("put")

        assert refreshed("main", paths=change)[1] != []
        assert refreshed("main", paths=change, ignored="PATCH /1.0/things/{name}") == (facts(), [])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with facts of its own, and a description to refresh them from."""
    shutil.copytree(ROOT / "schema", tmp_path / "schema")
    (tmp_path / "schema/incus-api.json").write_text(json.dumps(facts(), indent=1))
    (tmp_path / "api.json").write_text(json.dumps(document()))
    return tmp_path


class TestCommand:
    def test_it_says_what_changes_and_writes_it(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        published = document()
        published["definitions"]["New"] = {"type": "object"}
        (project / "api.json").write_text(json.dumps(published))
        arguments = ["--root", str(project), "refresh", "main", str(project / "api.json")]
        assert main(["--check", *arguments]) == 1
        assert main(arguments) == 0
        out, hint = capsys.readouterr()
        assert out == "+ New: new in main\n" * 2
        assert "python -m codegen" in hint
        assert main(["--check", *arguments]) == 0
        assert capsys.readouterr().out == "Nothing changes.\n"

    def test_a_file_that_is_not_there(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--root", str(project), "refresh", "main", str(project / "none.yaml")]) == 2
        assert "none.yaml" in capsys.readouterr().err


def test_types_are_in_the_notation_of_the_facts() -> None:
    for definition in swagger.parse(document()).definitions.values():
        for field in definition.get("fields", {}).values():
            Type.parse(field["type"])
