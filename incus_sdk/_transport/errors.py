"""What this package raises beside the public exceptions, and the words that its messages share."""

from __future__ import annotations

import re

from ..exceptions import IncusConnectionError

UNKNOWN = (
    "; whether it did what was asked is unknown: look at what it was to change, and at GET /1.0/operations for what "
    "may be under way, before trying again"
)
"""What to say of a change that went out and got no answer which anybody could read."""

_SECRET = re.compile(r"([?&]secret=)[^&]*", re.IGNORECASE)


class WebSocketClosed(IncusConnectionError):  # noqa: N818 - it is how streams end, seldom an error
    """The server has ended a websocket, politely or by hanging up.

    Incus ends the streams of a command by closing the connection, without a close frame (code 1006). So this is an
    end, not a failure: what broke, fell silent or was closed at this side raises other errors.

    Attributes:
        code: The code of the close frame; 1006 where there was none, 1005 where it had none.
        reason: What the close frame said.
    """

    def __init__(
        self, message: str = "", code: int = 1006, reason: str = "", cause: BaseException | None = None
    ) -> None:
        super().__init__(message, cause, sent=True)
        self.code: int = code
        self.reason: str = reason


def path_of(target: str) -> str:
    """The target without its query string, which may hold secrets."""
    return target.partition("?")[0]


def masked(target: str) -> str:
    """The target with the secrets of operations made unreadable, for logs."""
    return _SECRET.sub(r"\1***", target) if "ecret" in target or "ECRET" in target else target
