"""Instances: making them from backups."""

from __future__ import annotations

from typing import Literal, overload

from .._values import config_values, device_values
from ..api_client import Body
from ..exceptions import IncusArgumentError
from ..operations import OperationResponse
from ..types import Config, Devices
from ._bodies import check_upload
from ._collection import Gettable, T, check_name, check_wait
from ._nested import created


class ImportVerbs(Gettable[T]):
    """The verb `import_backup` (`POST /1.0/instances`, with the backup itself as the body)."""

    @overload
    async def import_backup(
        self,
        source: Body,
        name: str | None = None,
        pool: str | None = None,
        wait: Literal[False] = False,
        *,
        config: Config | None = None,
        devices: Devices | None = None,
    ) -> OperationResponse: ...
    @overload
    async def import_backup(
        self,
        source: Body,
        name: str | None = None,
        pool: str | None = None,
        *,
        wait: Literal[True],
        config: Config | None = None,
        devices: Devices | None = None,
    ) -> T: ...
    @overload
    async def import_backup(
        self,
        source: Body,
        name: str | None = None,
        pool: str | None = None,
        wait: bool = False,
        *,
        config: Config | None = None,
        devices: Devices | None = None,
    ) -> OperationResponse | T: ...
    async def import_backup(
        self,
        source: Body,
        name: str | None = None,
        pool: str | None = None,
        wait: bool = False,
        *,
        config: Config | None = None,
        devices: Devices | None = None,
    ) -> OperationResponse | T:
        """Make an instance from a backup (`POST /1.0/instances`). It is not started.

        It keeps the hardware addresses that it had: beside the original, one of them cannot use the same network.

        Example:
            ```python
            web = await client.instances.import_backup(Path("web.tar.gz"), "web-again", wait=True)
            ```

        Args:
            source: The backup: bytes, the `Path` of a file, or an iterator of bytes, which are streamed.
            name: Name of the instance; by default the one that it had.
            pool: Storage pool to put it in; by default the one that it was in.
            wait: Whether to return the instance itself, when it is there.
            config: Configuration to change, on top of the backup's; values cannot have spaces. Needs the API extension
                `backup_override_config` (Incus 7.0).
            devices: Devices to change, each given as a whole; likewise.

        Returns:
            The instance with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusMissingExtensionError: The server cannot change configuration or devices.
            IncusNotFoundError: There is no such storage pool.
            IncusBadRequestError: The server does not know the format.
            IncusOperationConflictError: There is an instance of that name already (from the wait).
        """
        check_wait(wait)
        check_upload(source)
        if name is not None:
            check_name(name)
        if config or devices:
            await self._api.require_extension("backup_override_config", "an import with config or devices")
        operation = await self._api.operation("POST", self._url(), source, None, _headers(name, pool, config, devices))
        if not wait:
            return operation
        await operation.wait()
        return await self._made(name or created(operation, "instances"))


def _headers(
    name: str | None, pool: str | None, config: Config | None, devices: Devices | None
) -> dict[str, str] | None:
    changed = [f"{key}={_spaceless(key, value)}" for key, value in config_values(config or {}).items()]
    options = [
        f"{device},{key}={_spaceless(key, value)}"
        for device, given in device_values(devices or {}).items()
        for key, value in given.items()
    ]
    headers = {"name": name, "pool": pool, "config": " ".join(changed), "devices": " ".join(options)}
    return {f"X-Incus-{key}": value for key, value in headers.items() if value} or None


def _spaceless(key: str, value: str) -> str:
    """The server takes values from a header, in which spaces separate them."""
    if any(character.isspace() for character in f"{key}{value}"):
        raise IncusArgumentError(
            f"{key!r:.80} cannot be changed by an import to a value with spaces: change it in the instance afterwards"
        )
    return value
