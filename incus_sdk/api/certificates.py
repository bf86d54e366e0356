"""Whom the server trusts: `/1.0/certificates`."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from os import PathLike

from .._pem import fingerprint, normalise, read_certificates
from .._values import text_list
from ..models import CertificateBody, CertificateData, CertificatePut
from ..operations import OperationResponse
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundWritable
from ._collection import Deletable, Filterable, Gettable
from ._writable import Writable

__all__ = ["Certificate", "CertificatesAPI"]


class Certificate(CertificateData, BoundGet, BoundWritable[CertificatePut, CertificateBody], BoundDelete):
    """A client's certificate that the server trusts, as it was when it was read."""

    @property
    def _key(self) -> str:
        return self.fingerprint


class CertificatesAPI(
    Filterable[Certificate],
    Gettable[Certificate],
    Writable[Certificate, CertificatePut, CertificateBody],
    Deletable[Certificate],
):
    """Certificates that the server trusts (`/1.0/certificates`).

    What is called `name` here is the fingerprint, or the beginning of it if no other certificate has the same; `names`
    returns fingerprints. The name of a certificate, which need not be unique, is one of its fields.
    """

    _path = "/1.0/certificates"
    _model = Certificate
    _put = CertificatePut
    _in_project = False

    async def create(
        self,
        certificate: str | bytes | PathLike[str],
        name: str,
        type: str = "client",
        restricted: bool = False,
        projects: Sequence[str] | None = None,
        *,
        description: str = "",
    ) -> Certificate:
        """Trust a certificate (`POST /1.0/certificates`).

        Example:
            ```python
            await client.certificates.create("ci.crt", "ci", restricted=True, projects=["ci"])
            ```

        Args:
            certificate: The certificate: PEM text, or the path of a PEM file. Its key stays where it is.
            name: A name for it.
            type: `client`; `metrics`, which may only read those; or `server`, for members of the cluster.
            restricted: Whether the client may only use the listed projects.
            projects: Where a restricted client may work.
            description: What it is for.

        Raises:
            IncusConflictError: The server trusts it already.
            IncusConfigurationError: That is no certificate, or the file cannot be read.
            IncusNotFoundError: A project does not exist.
            IncusBadRequestError: There is no such type.
        """
        _, found = read_certificates(normalise(certificate, "certificate"), "certificate")
        fields = _fields(name, type, restricted, projects, description)
        # Incus 6.0 takes nothing but base64 here; later ones take PEM as well.
        body = {**fields, "certificate": base64.b64encode(found[0]).decode()}
        await self._api.operation("POST", self._url(), body)
        return await self._made(fingerprint(found[0]))

    async def create_token(
        self,
        name: str,
        restricted: bool = False,
        projects: Sequence[str] | None = None,
        *,
        description: str = "",
    ) -> OperationResponse:
        """Make a token, by which a new client gets trusted, once (`POST /1.0/certificates`).

        The answer is an operation that runs until somebody uses the token: do not wait for it, `cancel()` revokes it.
        `incus_sdk.token_text` gives the text that the client needs. The server must listen on a
        `core.https_address`.

        Args:
            name: A name for the client's certificate.
            restricted: See `create`.
            projects: See `create`.
            description: See `create`.

        Raises:
            IncusNotFoundError: A project does not exist.
            IncusBadRequestError: The server does not listen.
        """
        body = {**_fields(name, "client", restricted, projects, description), "token": True}
        return await self._api.operation("POST", self._url(), body)

    async def use_token(self, token: str) -> None:
        """Have the server trust the certificate of this client, which has a token (`POST /1.0/certificates`).

        Args:
            token: Its text. What the client may do was decided when it was made.

        Raises:
            IncusPermissionError: The server has no such token (any more).
            IncusBadRequestError: The server trusts this client already, or the text is no token.
        """
        await self._api.operation("POST", self._url(), {"type": "client", "trust_token": token})


def _fields(
    name: str, type: str, restricted: bool, projects: Sequence[str] | None, description: str
) -> dict[str, object]:
    fields: dict[str, object] = {"name": name, "type": type, "restricted": restricted, "description": description}
    if projects is not None:
        fields["projects"] = text_list(projects, "projects", "['default']")
    return create_body("Certificate", (), {}, **fields)
