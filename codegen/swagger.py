"""A published description of the API (Swagger 2.0, as YAML or JSON), read into the notation of the facts.

Deep reads and anonymous access are paths of their own there (`/1.0/images?public&recursion=1`); here they belong to the
call. Nothing of the texts is kept but the API extensions that they name.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Call", "Description", "SwaggerError", "parse", "read"]

METHODS = ("get", "head", "post", "put", "patch", "delete")
_EXTENSION = re.compile(r"API extension: ([a-z0-9_]+)")
_REF = "#/definitions/"


class SwaggerError(Exception):
    """The file is no description of the API."""


@dataclass
class Call:
    """One method of one path.

    Attributes:
        operation_id: Its name in the description.
        kind: How it is answered: `sync`, `async-operation` or `raw/binary`.
        success_codes: HTTP statuses of success.
        request: Type of the body.
        response: Type of what is answered.
        query: Types of the parameters in the query.
        deeper: Answers of deep reads, by depth.
        is_public: Whether anybody may call it.
    """

    operation_id: str
    kind: str
    success_codes: list[str]
    request: str | None
    response: str | None
    query: dict[str, str]
    deeper: dict[int, str | None] = field(default_factory=dict[int, "str | None"])
    is_public: bool = False


@dataclass
class Description:
    """What a description says.

    Attributes:
        calls: By method and path.
        definitions: By name, as the facts have them, without versions.
    """

    calls: dict[tuple[str, str], Call]
    definitions: dict[str, dict[str, Any]]


def read(path: Path) -> Description:
    """Read a file.

    Raises:
        SwaggerError: It is something else.
    """
    text = path.read_text(encoding="utf-8")
    document = json.loads(text) if text.lstrip().startswith("{") else _yaml(text)
    try:
        return parse(document)
    except (KeyError, TypeError, AttributeError) as error:
        raise SwaggerError(f"{path} is no Swagger description of the API: {error!r}") from error


def parse(document: Mapping[str, Any]) -> Description:
    """Return what a description says."""
    definitions = {name: _definition(schema) for name, schema in document["definitions"].items()}
    calls: dict[tuple[str, str], Call] = {}
    for path in sorted(document["paths"], key=lambda path: (path.partition("?")[0], len(path))):
        plain, _, variant = path.partition("?")
        for method in METHODS:
            if method in document["paths"][path]:
                _add(calls, (method.upper(), plain), variant, _call(document["paths"][path][method]))
    return Description(calls, definitions)


def _yaml(text: str) -> Any:
    try:
        yaml = importlib.import_module("yaml")
    except ImportError:
        raise SwaggerError("reading YAML takes PyYAML: pip install pyyaml") from None
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _add(calls: dict[tuple[str, str], Call], key: tuple[str, str], variant: str, call: Call) -> None:
    """Note a call, or what a variant of a path says about one."""
    known = calls.setdefault(key, call)
    known.is_public |= "public" in variant.split("&")
    if depth := re.search(r"recursion=(\d)", variant):
        known.deeper[int(depth[1])] = call.response


def _call(item: Mapping[str, Any]) -> Call:
    parameters = item.get("parameters", [])
    bodies = [parameter for parameter in parameters if parameter["in"] == "body"]
    success = {code: answer for code, answer in item["responses"].items() if code[0] in "12"}
    return Call(
        operation_id=item["operationId"],
        kind=_kind(item, success),
        success_codes=sorted(success),
        request=" | ".join(_type(body.get("schema", {})).replace("any", "raw bytes") for body in bodies) or None,
        response=next((found for answer in success.values() if (found := _answer(answer))), None),
        query={item["name"]: _type(item) for item in parameters if item["in"] == "query"},
    )


def _kind(item: Mapping[str, Any], success: Mapping[str, Any]) -> str:
    if "202" in success:
        return "async-operation"
    return "sync" if "application/json" in item.get("produces", ["application/json"]) else "raw/binary"


def _answer(answer: Mapping[str, Any]) -> str | None:
    if answer.get("$ref", "").endswith("/Operation"):
        return "Operation"
    metadata = answer.get("schema", {}).get("properties", {}).get("metadata")
    return _type(metadata) if metadata else None


def _definition(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "properties" not in schema:
        return {"alias_of": _type(schema)}
    return {"fields": dict(_fields(schema["properties"]))}


def _fields(properties: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for key, schema in sorted(properties.items()):
        fact = {"type": _type(schema)}
        if found := _EXTENSION.search(schema.get("description", "")):
            fact["extension"] = found[1]
        yield key, fact


def _type(schema: Mapping[str, Any]) -> str:
    """Return a type in the notation of the facts."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REF)
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list[{_type(schema.get('items', {}))}]"
    if kind == "object":
        return f"map[string, {_type(schema.get('additionalProperties', {}))}]"
    return f"{kind}:{schema['format']}" if "format" in schema else str(kind)
