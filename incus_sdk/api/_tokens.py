"""Tokens that the server gives out for one use, as the text that people pass on."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, cast

from .._encoding import encode
from ..exceptions import IncusArgumentError

__all__ = ["token_text"]

NEVER = "0001-01-01T00:00:00Z"
"""What stands in a token that does not expire."""


def token_text(token: Mapping[str, Any]) -> str:
    """Return the text of a token, as the server that is to be told it takes it. It is a secret.

    Example:
        ```python
        from incus_sdk import token_text

        print(token_text(await client.certificates.create_token("ci")))
        ```

    Args:
        token: What `CertificatesAPI.create_token` returned, for `CertificatesAPI.use_token` and `incus remote add`; or
            what `ClusterMembersAPI.create_token` returned, for `ClusterAPI.join` and `incus admin init`.

    Raises:
        IncusArgumentError: It is the answer to something else.
    """
    operation = cast("Mapping[str, Any]", token.get("metadata") or {})
    details = cast("Mapping[str, Any]", operation.get("metadata") or {})
    if operation.get("class") != "token" or not ("request" in details or "serverName" in details):
        raise IncusArgumentError("that is no answer of create_token(), so there is no token in it")
    joins = "serverName" in details
    content = {
        **({"server_name": details["serverName"]} if joins else {"client_name": details["request"]["name"]}),
        "fingerprint": details["fingerprint"],
        "addresses": details["addresses"],
        "secret": details["secret"],
        "expires_at": details.get("expiresAt") or NEVER,
    }
    return base64.b64encode(encode(content)).decode()
