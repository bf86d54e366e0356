"""Answers of a server as they were on the wire, and listings of any length made from one."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

__all__ = ["Answer", "listing"]

END = b"\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
LENGTH = b"content-length:"


class Answer:
    """An answer, chunked or with its length in the head.

    Attributes:
        whole: All its bytes.
    """

    def __init__(self, whole: bytes) -> None:
        self.whole = whole

    @staticmethod
    def is_whole(data: bytes) -> bool:
        """Tell whether an answer is complete."""
        head, end, body = data.partition(END)
        _, found, rest = head.lower().partition(LENGTH)
        if found:
            return bool(end) and len(body) >= int(rest.partition(b"\r\n")[0])
        return data.endswith(b"\r\n" + LAST_CHUNK)

    @property
    def document(self) -> dict[str, Any]:
        """The JSON in it."""
        head, _, body = self.whole.partition(END)
        chunked = LENGTH not in head.lower()
        result: dict[str, Any] = json.loads(b"".join(_pieces(body)) if chunked else body)
        return result


def _pieces(body: bytes) -> Iterator[bytes]:
    """The chunks of a body."""
    while body:
        size, _, rest = body.partition(b"\r\n")
        yield rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]


def listing(one: Answer, size: int) -> Answer:
    """An answer with that many instances, each like the one in the given answer but for what is never the same.

    The daemon writes all of a listing at once, in one chunk; so does this.
    """
    document = one.document
    pattern = json.dumps(document["metadata"][0])
    name = document["metadata"][0]["name"]
    document["metadata"] = [_instance(json.loads(pattern), name, number) for number in range(size)]
    body = json.dumps(document, separators=(",", ":")).encode() + b"\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked" + END
    return Answer(head + b"%x\r\n%s\r\n" % (len(body), body) + LAST_CHUNK)


def _instance(instance: dict[str, Any], pattern: str, number: int) -> dict[str, Any]:
    """Give a copy of an instance a name, identifiers and addresses of its own."""
    instance["name"] = f"{pattern}-{number:05}"
    for config in (instance["config"], instance["expanded_config"]):
        for key in config:
            if "uuid" in key:
                config[key] = str(uuid.UUID(int=number))
            elif key.endswith("hwaddr"):
                config[key] = f"00:16:3e:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
    state = instance["state"]
    state["pid"] += number
    state["memory"]["usage"] += 4096 * number
    for network in state["network"].values():
        for address in network["addresses"]:
            if address["scope"] == "global" and address["family"] == "inet":
                address["address"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return instance
