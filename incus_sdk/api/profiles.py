"""Profiles: `/1.0/profiles`."""

from __future__ import annotations

from typing import Unpack

from ..models import ProfileBody, ProfileData, ProfilePut
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundRename, BoundWritable
from ._collection import Deletable, Gettable, ProjectFilterable, Renamable, check_name
from ._writable import Writable

__all__ = ["Profile", "ProfilesAPI"]


class Profile(ProfileData, BoundGet, BoundWritable[ProfilePut, ProfileBody], BoundRename, BoundDelete):
    """Configuration and devices that instances share, as they were when they were read."""


class ProfilesAPI(
    ProjectFilterable[Profile],
    Gettable[Profile],
    Writable[Profile, ProfilePut, ProfileBody],
    Renamable[Profile],
    Deletable[Profile],
):
    """Profiles (`/1.0/profiles`)."""

    _path = "/1.0/profiles"
    _model = Profile
    _put = ProfilePut

    async def create(self, name: str, **fields: Unpack[ProfilePut]) -> Profile:
        """Create a profile (`POST /1.0/profiles`).

        Example:
            ```python
            small = await client.profiles.create("small", config={"limits.memory": "256MiB"})
            ```

        Args:
            name: Its name.
            **fields: Its definition: `config`, `description`, `devices`.

        Raises:
            IncusConflictError: There is one of that name already.
            IncusBadRequestError: The server does not take a value.
        """
        check_name(name)
        await self._api.operation(
            "POST", self._url(), create_body("Profile", ProfilePut.__annotations__, fields, name=name)
        )
        return await self._made(name)
