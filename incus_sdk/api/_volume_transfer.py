"""Storage volumes: creating, copying, moving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Literal, Unpack, cast, overload

from ..exceptions import IncusArgumentError
from ..models import StorageVolumePostTarget, StorageVolumePut, StorageVolumeSource
from ..operations import OperationResponse
from ._bodies import check_source, create_body, migration_body
from ._bound import Bound
from ._collection import Gettable, T, check_name, check_wait

__all__ = ["BoundTransfer", "TransferVerbs"]

Source = StorageVolumeSource | Mapping[str, Any]
Target = StorageVolumePostTarget | Mapping[str, Any]


class TransferVerbs(Gettable[T]):
    """The verbs by which custom volumes come to be, and move."""

    @overload
    async def create(
        self,
        name: str,
        source: None = None,
        wait: bool = False,
        *,
        content_type: str | None = None,
        **fields: Unpack[StorageVolumePut],
    ) -> T: ...
    @overload
    async def create(
        self,
        name: str,
        source: Source,
        wait: Literal[False] = False,
        *,
        content_type: str | None = None,
        **fields: Unpack[StorageVolumePut],
    ) -> OperationResponse: ...
    @overload
    async def create(
        self,
        name: str,
        source: Source,
        wait: Literal[True],
        *,
        content_type: str | None = None,
        **fields: Unpack[StorageVolumePut],
    ) -> T: ...
    @overload
    async def create(
        self,
        name: str,
        source: Source | None = None,
        wait: bool = False,
        *,
        content_type: str | None = None,
        **fields: Unpack[StorageVolumePut],
    ) -> OperationResponse | T: ...
    async def create(
        self,
        name: str,
        source: Source | None = None,
        wait: bool = False,
        *,
        content_type: str | None = None,
        **fields: Unpack[StorageVolumePut],
    ) -> OperationResponse | T:
        """Create a custom volume: an empty one at once (`POST …/volumes`), or one from a source in the background.

        Example:
            ```python
            volumes = client.storage_pools.volumes("default")
            data = await volumes.create("data", config={"size": "1GiB"})
            ```

        Args:
            name: Its name.
            source: What to make it from, as in `{"type": "copy", "pool": "fast", "name": "data"}`, or from another
                server by `{"type": "migration", …}`; see also `copy`. `None` makes an empty volume.
            wait: Whether to return the volume itself, when it is there; an empty one always is.
            content_type: `filesystem`, which is the default, or `block`, which needs a `size`; for ISO images there is
                `import_iso`.
            **fields: Its definition: `config`, `description`.

        Returns:
            The volume if it is empty, and with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusNotFoundError: There is no such pool.
            IncusConflictError: There is a volume of that name already.
            IncusBadRequestError: The server does not take a value, or makes no volumes of this type.
            IncusOperationNotFoundError: There is no such source (from the wait).
        """
        check_wait(wait)
        check_name(name)
        type = self._parents["type"]
        known = StorageVolumePut.__annotations__
        check_source(source or {}, StorageVolumeSource.__annotations__)
        body = create_body(
            "StorageVolume", known, fields, name=name, type=type, content_type=content_type, source=source or None
        )
        path = self._url() if source else self._root.rpartition("/")[0]
        operation = await self._api.operation("POST", path, body)
        if source and not wait:
            return operation
        await operation.wait()
        return await self._made(name)

    @overload
    async def copy(
        self,
        name: str,
        new_name: str | None = None,
        wait: Literal[False] = False,
        *,
        pool: str | None = None,
        project: str | None = None,
        volume_only: bool = False,
        refresh: bool = False,
    ) -> OperationResponse: ...
    @overload
    async def copy(
        self,
        name: str,
        new_name: str | None = None,
        *,
        wait: Literal[True],
        pool: str | None = None,
        project: str | None = None,
        volume_only: bool = False,
        refresh: bool = False,
    ) -> T: ...
    @overload
    async def copy(
        self,
        name: str,
        new_name: str | None = None,
        wait: bool = False,
        *,
        pool: str | None = None,
        project: str | None = None,
        volume_only: bool = False,
        refresh: bool = False,
    ) -> OperationResponse | T: ...
    async def copy(
        self,
        name: str,
        new_name: str | None = None,
        wait: bool = False,
        *,
        pool: str | None = None,
        project: str | None = None,
        volume_only: bool = False,
        refresh: bool = False,
    ) -> OperationResponse | T:
        """Copy a custom volume on this server (`POST …/volumes/custom` of the pool that it goes to).

        Args:
            name: Name of the volume; `volume/snapshot` copies a snapshot.
            new_name: Name of the copy; `None` gives it the same, in another pool or project.
            wait: Whether to return the copy itself, when it is there.
            pool: The pool that it goes to; `None` is the same.
            project: The project that it goes to; `None` is that of the client.
            volume_only: Whether to leave out its snapshots.
            refresh: Whether to bring a copy that exists up to date.

        Returns:
            The copy with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusConflictError: There is a volume of that name already.
            IncusNotFoundError: There is no such pool or project to copy to.
            IncusOperationNotFoundError: There is no such volume to copy (from the wait).
        """
        check_wait(wait)
        source: dict[str, Any] = {"type": "copy", "name": name, "pool": self._parents["pool"]}
        source |= {"volume_only": True} if volume_only else {}
        source |= {"refresh": True} if refresh else {}
        api = self._api
        if project is not None:
            source["project"] = api.project or "default"
            api = api.scoped(project=project)
        group = type(self)(api, **{**self._parents, "pool": pool or self._parents["pool"]})
        return await group.create(new_name or name, source, wait)

    async def move(
        self,
        name: str,
        new_name: str | None = None,
        wait: bool = False,
        *,
        pool: str | None = None,
        project: str | None = None,
        target: str | None = None,
    ) -> OperationResponse:
        """Move a custom volume to another pool, project or cluster member (`POST …/{name}`).

        A new name alone is what `rename` does. Volumes of several members can have the same name, and then a view of
        the client says which is meant: `client.use_target("one").storage_pools.volumes("default")`.

        Args:
            name: Name of the volume.
            new_name: Its name from then on; `None` keeps it.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.
            pool: The pool that it moves to; `None` is the same.
            project: The project that it moves to; `None` is the same.
            target: Cluster member to move it to. What the server answers then ends when the transfer has begun, so its
                `wait()` tells no more than that; `wait=True` ends when the volume is there.

        Raises:
            IncusArgumentError: There is a target, but the volume is on no member: the server is in no cluster, or all
                members share the pool.
            IncusNotFoundError: There is no such volume, pool, project or member.
            IncusConflictError: There is a volume of that name already.
            IncusBadRequestError: It is in use by a running instance.
        """
        check_wait(wait)
        check_name(new_name or name)
        place = pool or (self._parents["pool"] if project or target else None)  # servers want it with these
        body = create_body("StorageVolume", (), {}, name=new_name or name, pool=place, project=project)
        if target is not None:
            body |= {"migration": True, "source": {"location": await self._member_of(name)}}
        operation = await self._api.operation("POST", self._url(name), body, {"target": target})
        if not wait:
            return operation
        await operation.wait()
        if target is not None:
            await self._arrival(name, operation)
        return operation

    async def _arrival(self, name: str, begun: OperationResponse) -> None:
        """Wait for the transfer between members: servers end what they answer with when that has begun."""
        from .operations import OperationsAPI

        transfers = [
            each
            for each in (await OperationsAPI(self._api).list(all_projects=True))
            if each.class_ == "websocket" and each.location == begun["metadata"].get("location")
            if any(url.partition("?")[0] == self._url(name) for url in each.resources.get("storage_volumes", ()))
        ]
        if transfers:
            newest = max(transfers, key=lambda each: each.created_at.timestamp() if each.created_at else 0)
            await newest.wait(None)

    async def _member_of(self, name: str) -> str:
        """Return the cluster member that a volume is on: the server does not look, and moves nothing without."""
        location = str((await self._api.read(self._url(name), dict[str, Any])).get("location") or "none")
        if location == "none":
            raise IncusArgumentError(
                f"move({name!r:.80}, target=…): it is on no member of a cluster, so there is none to move it from"
            )
        return location

    async def migrate(
        self, name: str, target: Target | None = None, wait: bool = False, *, volume_only: bool = False
    ) -> OperationResponse:
        """Offer a custom volume to another server, or send it there (`POST …/{name}`); it stays here as well.

        Without a target, the answer is an operation that waits until another server, which was told its secrets,
        fetches the volume. So what ends the waiting is to be done before anybody waits.

        Args:
            name: Name of the volume.
            target: The operation that waits for it on the other server: `operation`, `secrets`, `certificate`.
            wait: Whether to return only when it is there, which needs a target.
            volume_only: Whether to leave out its snapshots.

        Raises:
            IncusArgumentError: It is to be waited for without a target, or the target has no such field.
            IncusNotFoundError: There is no such volume.
            IncusOperationError: The other server cannot be reached, or refuses (from the wait).
        """
        known = StorageVolumePostTarget.__annotations__
        body = migration_body(f"{name!r:.80}", known, target, wait, name, volume_only=volume_only)
        return await self._change("POST", self._url(name), body, wait)

    async def rebuild(self, name: str, wait: bool = False) -> OperationResponse:
        """Empty a custom volume (`POST …/{name}/rebuild`). Needs the API extension `storage_volumes_rebuild`.

        Args:
            name: Name of the volume.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusMissingExtensionError: The server cannot do that.
            IncusNotFoundError: There is no such volume.
            IncusOperationBadRequestError: It has snapshots, or is in use (from the wait).
        """
        return await self._change("POST", self._url(name, suffix="/rebuild"), {}, wait)


class BoundTransfer(Bound, Generic[T]):
    """The verbs by which this volume is copied and moved."""

    __slots__ = ()

    @overload
    async def copy(
        self,
        new_name: str | None = None,
        wait: Literal[False] = False,
        *,
        pool: str | None = None,
        project: str | None = None,
        volume_only: bool = False,
        refresh: bool = False,
    ) -> OperationResponse: ...
    @overload
    async def copy(
        self,
        new_name: str | None = None,
        *,
        wait: Literal[True],
        pool: str | None = None,
        project: str | None = None,
        volume_only: bool = False,
        refresh: bool = False,
    ) -> T: ...
    @overload
    async def copy(
        self,
        new_name: str | None = None,
        wait: bool = False,
        *,
        pool: str | None = None,
        project: str | None = None,
        volume_only: bool = False,
        refresh: bool = False,
    ) -> OperationResponse | T: ...
    async def copy(
        self,
        new_name: str | None = None,
        wait: bool = False,
        *,
        pool: str | None = None,
        project: str | None = None,
        volume_only: bool = False,
        refresh: bool = False,
    ) -> OperationResponse | T:
        """Copy it on this server; see `StorageVolumesAPI.copy`."""
        return await self._transfer.copy(
            self._key, new_name, wait, pool=pool, project=project, volume_only=volume_only, refresh=refresh
        )

    async def move(
        self,
        new_name: str | None = None,
        wait: bool = False,
        *,
        pool: str | None = None,
        project: str | None = None,
        target: str | None = None,
    ) -> OperationResponse:
        """Move it to another pool, project or cluster member; see `StorageVolumesAPI.move`."""
        return await self._transfer.move(self._key, new_name, wait, pool=pool, project=project, target=target)

    async def migrate(
        self, target: Target | None = None, wait: bool = False, *, volume_only: bool = False
    ) -> OperationResponse:
        """Offer it to another server, or send it there; see `StorageVolumesAPI.migrate`."""
        return await self._transfer.migrate(self._key, target, wait, volume_only=volume_only)

    async def rebuild(self, wait: bool = False) -> OperationResponse:
        """Empty it; see `StorageVolumesAPI.rebuild`."""
        return await self._transfer.rebuild(self._key, wait)

    @property
    def _transfer(self) -> TransferVerbs[T]:
        return cast("TransferVerbs[T]", self._collection)
