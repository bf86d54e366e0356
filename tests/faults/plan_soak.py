"""What a soak does: calls of all kinds, each with what may go wrong with it, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from incus_sdk import (
    IncusAPIError,
    IncusConflictError,
    IncusConnectionError,
    IncusError,
    IncusNotFoundError,
    IncusOperationError,
    IncusProtocolError,
    IncusTimeoutError,
    IncusUnavailableError,
)

KINDS = {
    "get": 30,
    "list": 6,
    "names": 5,
    "state": 5,
    "missing": 3,
    "create": 7,
    "update": 5,
    "delete": 7,
    "put_file": 6,
    "get_file": 7,
    "logs": 2,
    "execute": 6,
    "post": 3,
    "stream": 3,
    "leave": 3,
    "socket": 2,
    "upgrade": 2,
    "fresh": 1,
}
"""Kinds of calls and how often each is drawn."""

IN_BACKGROUND = {"create", "delete", "execute"}
STREAMING = {"stream", "leave"}
SWITCHING = {"socket", "upgrade"}
UNHARMED = {*SWITCHING, "fresh"}
"""Nothing goes wrong in these beyond what they do themselves."""

BREAKS = {"cut": 8, "reset": 8}
REFUSALS = {404: IncusNotFoundError, 409: IncusConflictError, 503: IncusUnavailableError, 500: IncusAPIError}
NONSENSE = {"page": IncusError, "half": IncusProtocolError, "stranger": IncusProtocolError}
HARMLESS = ("slow", "behind")


class WrongResultError(AssertionError):
    """A call got what belongs to another one, or ended as it should not."""


@dataclass(frozen=True)
class Call:
    """One call of a soak.

    Attributes:
        number: Its place in the soak.
        kind: What it does, one of `KINDS`.
        client: Who does it: `unix` and `tls` must get what they asked for unless a fault was asked for as well; `hasty`
            has a timeout so short that innocent calls can hit it, `wild` meets bytes and ends of connections that come
            at any time.
        name: The name that it asks for, which also says what the server does to it.
        errors: What it may raise.
        must_fail: Whether it must.
        cancelled: After how many turns of the event loop it is cancelled.
        deadline: Seconds after which its `asyncio.timeout` is over.
        size: Bytes of what it uploads or streams.
    """

    number: int
    kind: str
    client: str
    name: str
    errors: tuple[type[BaseException], ...] = ()
    must_fail: bool = False
    cancelled: int | None = None
    deadline: float | None = None
    size: int = 0


@dataclass(frozen=True)
class _Fault:
    text: str = ""
    errors: tuple[type[BaseException], ...] = ()
    must_fail: bool = False


def calls(seed: int, count: int, among: Collection[str] = KINDS, *, given_up: bool = True) -> Iterator[Call]:
    """Draw calls; the same seed gives the same ones.

    Args:
        seed: The seed.
        count: How many.
        among: Kinds to choose from.
        given_up: Whether some are cancelled by who makes them.
    """
    draw = random.Random(seed)
    kinds = [kind for kind in KINDS if kind in among]
    weights = [KINDS[kind] for kind in kinds]
    for number in range(count):
        kind = draw.choices(kinds, weights)[0]
        client = draw.choices(["unix", "tls", "hasty", "wild"], [64, 14, 11, 11])[0]
        size = draw.choice([0, 1, 100, 5_000, 70_000, 300_000] if kind in STREAMING else [0, 1, 100, 5_000, 90_000])
        yield _call(draw, number, kind, client, size, draw.uniform(0 if given_up else 0.07, 1))


def _call(draw: random.Random, number: int, kind: str, client: str, size: int, chance: float) -> Call:
    fault, cancelled, deadline = _Fault(), None, None
    if chance < 0.06:
        cancelled = draw.choice([0, 1, 2, 3, 5, 8, 13, 21, 40])
    elif chance < 0.07:
        fault, deadline = _stall(draw, kind, TimeoutError), draw.uniform(0.01, 0.1)
    elif client == "hasty" and chance < 0.15:
        fault = _stall(draw, kind, IncusTimeoutError)
    elif client == "wild" and chance < 0.5:
        fault = _Fault(f"{draw.choice(['later', 'bye'])}-0-0-9")
    elif client != "tls" or chance < 0.15:
        fault = _fault(draw, kind, client)
    if kind == "fresh" or (kind in SWITCHING and client == "wild"):  # another protocol takes any byte for its own
        client = "unix"
    harmed = bool(fault.text) and kind not in UNHARMED
    name = f"web-{number}--{fault.text}" if harmed else f"web-{number}"
    errors, must_fail = fault.errors, harmed and fault.must_fail
    if client == "hasty":
        errors += (IncusTimeoutError,)
    elif client == "wild":
        errors += (IncusConnectionError, IncusProtocolError)
    return Call(number, kind, client, name, errors, must_fail, cancelled, deadline, size)


def _stall(draw: random.Random, kind: str, error: type[BaseException]) -> _Fault:
    # What has no head yet stalls for sure; a stream that is left early need not notice the rest.
    return _Fault(f"stall-{draw.choice([0, 0, 5, 60, 95])}-0-9", (error,), kind not in STREAMING)


def _fault(draw: random.Random, kind: str, client: str) -> _Fault:
    chance = draw.random()
    if chance < 0.72:
        return _Fault()
    if chance < 0.80:
        # What is long comes in several reads, and then bytes behind it could as well be an answer to the next request.
        return _Fault(
            f"{draw.choice(HARMLESS)}-{draw.choice([1, 7, 40])}-0-9" if kind not in STREAMING else "slow-40-0-9"
        )
    if chance < 0.86:
        return _broken(draw, kind, client)
    if chance < 0.92:
        code = draw.choice(list(REFUSALS))
        # The missing one is refused with 404 as it should be.
        return _first_or_later(draw, kind, f"refuse-{code}", REFUSALS[code])
    if chance < 0.96 and kind in IN_BACKGROUND:
        return _Fault("fail-0-0-9", (IncusOperationError,), must_fail=True)
    if kind in STREAMING or kind in {"get_file", "logs", "execute"}:  # any bytes can be what these ask for
        return _Fault()
    nonsense = draw.choice(list(NONSENSE))
    return _first_or_later(draw, kind, f"{nonsense}-0", NONSENSE[nonsense])


def _broken(draw: random.Random, kind: str, client: str) -> _Fault:
    what, percent = draw.choice(list(BREAKS)), draw.randrange(100)
    if client == "tls" or draw.random() < 0.3:  # once, or for good; what is once is made up for by a retry
        return _Fault(f"{what}-{percent}-0-1", (IncusConnectionError,))
    return _first_or_later(draw, kind, f"{what}-{percent}", IncusConnectionError)


def _first_or_later(draw: random.Random, kind: str, what: str, error: type[IncusError]) -> _Fault:
    """Let it happen at once, when the call must fail, or in a later request of the same call, if there is one."""
    if kind == "leave" or kind == "missing":
        return _Fault(f"{what}-0-9", (IncusError,))
    if draw.random() < 0.6:
        return _Fault(f"{what}-0-9", (error,), must_fail=True)
    return _Fault(f"{what}-{draw.randrange(1, 6)}-9", (IncusError,))
