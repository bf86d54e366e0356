"""Reading certificates and keys in PEM form, with errors that name what is wrong and never show a key."""

from __future__ import annotations

import binascii
import hashlib
import os
import re
from pathlib import Path
from typing import cast

from .exceptions import IncusConfigurationError

__all__ = ["certificates", "fingerprint", "is_pem", "normalise", "read_certificates", "read_key", "shown"]

_MARK = "-----BEGIN "
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(r"-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----")
# More likely a key whose first line got lost than a path: it belongs in no message.
_LIKE_A_KEY = re.compile(r"[A-Za-z0-9+/=]{64}|\n")


def is_pem(value: str) -> bool:
    """Tell PEM text from the path of a file."""
    return _MARK in value


def shown(value: str) -> str:
    """The path of a PEM file as messages may show it; PEM text is only called that."""
    if is_pem(value):
        return "the PEM text given"
    return f"a path of {len(value)} characters" if _LIKE_A_KEY.search(value) else repr(value)


def normalise(value: object, what: str) -> str:
    """Turn what a user gave for a certificate or key into PEM text or an absolute path.

    Args:
        value: A path (a `~` at its beginning is the home folder) or PEM text.
        what: What it is, for messages.

    Raises:
        IncusConfigurationError: If it is empty, or bytes that are no PEM text.
        TypeError: If it is neither str, bytes nor a path.
    """
    if isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
        if not is_pem(text):
            raise IncusConfigurationError(
                f"{what} was given as bytes that are not PEM text; pass a path as str or Path"
            )
        return text
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{what} must be a path or PEM text, not {type(value).__name__}")
    text = os.fsdecode(cast("str | os.PathLike[str]", value))
    if not text:
        raise IncusConfigurationError(f"{what} is empty; pass a path or PEM text")
    if is_pem(text):
        return text
    try:
        # Absolute, because the file is read again with the first connection, when the working folder may be another.
        return str(Path(text).expanduser().absolute())
    except RuntimeError as exc:  # no home folder is known for the "~"
        raise IncusConfigurationError(f"{what} {shown(text)}: {exc}") from exc


def read_certificates(value: str, what: str) -> tuple[str, list[bytes]]:
    """Read a path or PEM text that must hold at least one certificate.

    Args:
        value: A path or PEM text.
        what: What it is, for messages.

    Returns:
        The PEM text, and the DER form of each certificate in it.

    Raises:
        IncusConfigurationError: If the file cannot be read or holds no certificate.
    """
    text = _read(value, what)
    found = certificates(text)
    if not found:
        hint = "it holds a private key; are certificate and key swapped?" if _KEY.search(text) else _not_pem(text)
        raise IncusConfigurationError(f"{what}: there is no certificate in {shown(value)}: {hint}")
    return text, found


def read_key(value: str, what: str) -> str:
    """Read a path or PEM text that must hold a private key without a passphrase.

    Args:
        value: A path or PEM text.
        what: What it is, for messages.

    Returns:
        The PEM text.

    Raises:
        IncusConfigurationError: If the file cannot be read, or holds no key, or one that cannot be used.
    """
    text = _read(value, what)
    kind = _KEY.search(text)
    if kind is None:
        hint = "it holds a certificate; are certificate and key swapped?" if certificates(text) else _not_pem(text)
        raise IncusConfigurationError(f"{what}: there is no private key in {shown(value)}: {hint}")
    if kind[1] == "OPENSSH ":
        raise IncusConfigurationError(
            f"{what}: {shown(value)} is in OpenSSH's own format; convert a copy with `ssh-keygen -p -m PEM -f COPY`"
        )
    if kind[1] == "ENCRYPTED " or "Proc-Type: 4,ENCRYPTED" in text:
        raise IncusConfigurationError(encrypted(value, what))
    return text


def encrypted(value: str, what: str) -> str:
    """The message about a key that has a passphrase, which this library never asks for."""
    return (
        f"{what}: {shown(value)} is encrypted with a passphrase; decrypt it, for instance with "
        "`openssl pkey -in ENCRYPTED -out PLAIN`, and protect the file by its mode"
    )


def certificates(text: str) -> list[bytes]:
    """The DER form of every certificate in a PEM text, in its order; what cannot be decoded is left out."""
    found: list[bytes] = []
    for body in _CERTIFICATE.findall(text):
        try:
            der = binascii.a2b_base64("".join(body.split()), strict_mode=True)
        except binascii.Error:
            continue
        if der.startswith(b"\x30"):  # an ASN.1 sequence, as every certificate is
            found.append(der)
    return found


def fingerprint(der: bytes) -> str:
    """SHA-256 over a certificate's DER form in lower-case hex, as Incus writes fingerprints everywhere."""
    return hashlib.sha256(der).hexdigest()


def _read(value: str, what: str) -> str:
    if is_pem(value):
        return value
    try:
        return Path(value).read_bytes().decode("utf-8", "replace")
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise IncusConfigurationError(f"{what}: cannot read {shown(value)}: {reason}") from exc


def _not_pem(text: str) -> str:
    if not text.strip():
        return "it is empty"
    return "it holds something else" if is_pem(text) else "it is not in PEM form (text with a -----BEGIN line)"
