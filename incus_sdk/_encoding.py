"""Bytes to models, bodies to bytes: the only file that knows the settings of msgspec's decoders.

Decoding is lenient, because servers of many versions answer: unknown fields are ignored, missing ones take their
defaults, and the models turn `null` lists and maps into empty ones.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

__all__ = ["DecodeError", "Envelope", "Raw", "Reply", "decode", "decode_reply", "encode"]

T = TypeVar("T")

Raw = msgspec.Raw
"""JSON that is not decoded yet."""

DecodeError = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What `decode` raises for bytes that are no JSON, or JSON of another shape."""


def _refuse(value: object) -> object:
    raise TypeError(f"a value of type {type(value).__name__} cannot be sent as JSON")


encode = msgspec.json.Encoder(uuid_format="canonical", decimal_format="string", enc_hook=_refuse).encode
"""Encodes what `_values.plain` has made plain, and the dates, identifiers and data classes that it leaves alone."""


class Envelope(msgspec.Struct, gc=False):
    """What every JSON answer of the server is wrapped in; the metadata stays undecoded until its type is known."""

    type: str
    status_code: int = 0
    error_code: int = 0
    error: str = ""
    operation: str | None = None
    metadata: Raw = Raw(b"null")


class Reply(msgspec.Struct, Generic[T], gc=False):
    """An envelope whose metadata is decoded with it, which saves going over a long answer twice."""

    type: str
    metadata: T
    error_code: int = 0


_decoders: dict[object, msgspec.json.Decoder[Any]] = {}
_reply_decoders: dict[object, msgspec.json.Decoder[Any]] = {}


def decode(data: bytes | Raw, model: type[T]) -> T:
    """Decode JSON into the model.

    Raises:
        msgspec.DecodeError: It is no JSON, or not of this shape.
    """
    decoder = _decoders.get(model)
    if decoder is None:  # building one costs more than most decoding; there are as many as there are models
        decoder = _decoders[model] = msgspec.json.Decoder(model)
    result: T = decoder.decode(data)
    return result


def decode_reply(data: bytes, model: type[T]) -> Reply[T]:
    """Decode an envelope whose metadata has the shape of the model.

    Raises:
        msgspec.DecodeError: It is no JSON, or not of this shape.
    """
    decoder = _reply_decoders.get(model)
    if decoder is None:
        decoder = _reply_decoders[model] = msgspec.json.Decoder(Reply[model])  # type: ignore[valid-type]  # made at run time
    result: Reply[T] = decoder.decode(data)
    return result
