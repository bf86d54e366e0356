"""Instances: making them, from images among others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from .._paths import fill
from ..exceptions import IncusNotFoundError
from ..models import InstanceCreateFields, InstanceSource
from ..operations import OperationResponse
from ..types import Config, Devices
from ._collection import Gettable, T, check_name
from ._instance_bodies import create_body, fingerprint, image_source
from ._nested import created

Source = InstanceSource | Mapping[str, Any]


class LaunchVerbs(Gettable[T]):
    """The verb `launch`, and the request that `create` makes as well (`POST /1.0/instances`)."""

    async def launch(
        self,
        image: str,
        name: str | None = None,
        config: Config | None = None,
        devices: Devices | None = None,
        profiles: Sequence[str] | None = None,
        ephemeral: bool = False,
        instance_type: str = "container",
        *,
        flavor: str | None = None,
        **fields: Unpack[InstanceCreateFields],
    ) -> T:
        """Create an instance from an image, start it, and return it when it runs.

        Args:
            image: Image in the notation of the `incus` command: an alias or a fingerprint on this server, or
                `images:debian/13` for one of the public image server.
            name: Name of the instance; `None` lets the server choose one.
            config: See `create`.
            devices: See `create`.
            profiles: See `create`.
            ephemeral: See `create`.
            instance_type: See `create`.
            flavor: See `create`.
            **fields: See `create`.

        Raises:
            IncusOperationNotFoundError: There is no such image on this server.
            IncusError: As for `create` and `start`.
        """
        if name is not None:
            check_name(name)
        source = await self._image(image)
        start: dict[str, Any] = {"start": True, **fields}
        operation = await self._create(name, source, config, devices, profiles, ephemeral, instance_type, flavor, start)
        await operation.wait()
        return await self._made(name or created(operation, "instances"))

    async def _create(
        self,
        name: str | None,
        source: Source,
        config: Config | None,
        devices: Devices | None,
        profiles: Sequence[str] | None,
        ephemeral: bool,
        instance_type: str,
        flavor: str | None,
        fields: dict[str, Any],
    ) -> OperationResponse:
        body = create_body(
            name,
            source,
            instance_type=instance_type,
            profiles=profiles,
            flavor=flavor,
            config=config,
            devices=devices,
            ephemeral=ephemeral,
            **fields,
        )
        return await self._api.operation("POST", self._url(), body)

    async def _image(self, image: str) -> dict[str, Any]:
        """Return the source for an image; what looks like a fingerprint is one unless it is an alias."""
        source = image_source(image)
        number = fingerprint(image)
        if number is None:
            return source
        try:
            await self._api.read(fill("/1.0/images/aliases/{name}", {"name": number}), dict[str, Any])
        except IncusNotFoundError:
            return {"type": "image", "fingerprint": number}
        return source
