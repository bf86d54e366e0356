"""The exceptions: the tree is as it is drawn, and all of them survive a trip to another process."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

import incus_sdk
from incus_sdk import exceptions
from incus_sdk._failures import answer_error
from incus_sdk.exceptions import (
    IncusAPIError,
    IncusArgumentError,
    IncusConnectionError,
    IncusError,
    IncusMissingExtensionError,
    IncusOperationConflictError,
    IncusOperationError,
    IncusOperationTimeoutError,
    IncusTimeoutError,
)

CLASSES: dict[str, type[Exception]] = {name: getattr(exceptions, name) for name in exceptions.__all__}


def drawn() -> dict[str, tuple[str | None, str | None]]:
    """Name, parent and second parent of each class, from the drawing in the docstring."""
    tree: dict[str, tuple[str | None, str | None]] = {}
    above: list[str] = []
    for line in (exceptions.__doc__ or "").splitlines():
        found = re.match(r"    ((?:│   |    )*)(├── |└── )?(Incus\w+)(?: +\(also (\w+)\))?", line)
        if found is None:
            continue
        depth = len(found[1]) // 4 + bool(found[2])
        del above[depth:]
        tree[found[3]] = (above[-1] if above else None, found[4])
        above.append(found[3])
    return tree


def test_the_drawing_is_the_tree() -> None:
    real: dict[str, tuple[str | None, str | None]] = {}
    for name, kind in CLASSES.items():
        first, *others = [base.__name__ for base in kind.__bases__]
        real[name] = (first if first in CLASSES else None, others[0] if others else None)
        assert len(others) <= 1
    assert drawn() == real


def test_the_drawing_tells_the_statuses() -> None:
    told = re.findall(r"(Incus\w+) +(\d{3})\b", exceptions.__doc__ or "")
    assert len(told) == 7
    for name, status in told:
        assert type(answer_error("GET /1.0/x", int(status), "x", None)) is CLASSES[name]


def test_all_are_exported() -> None:
    assert set(exceptions.__all__) <= set(incus_sdk.__all__)
    defined = {name for name in vars(exceptions) if name.startswith("Incus")}
    assert defined == set(exceptions.__all__)


@pytest.mark.parametrize("name", exceptions.__all__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(name: str, protocol: int) -> None:
    error = CLASSES[name]("what happened")
    vars(error).update(status_code=418, response={"error": "tea"}, extra=[1])
    error.add_note("a note")
    same = pickle.loads(pickle.dumps(error, protocol))
    assert type(same) is CLASSES[name]
    assert str(same) == "what happened"
    assert vars(same) == vars(error)
    assert str(copy.deepcopy(error)) == "what happened"


@pytest.mark.parametrize("name", exceptions.__all__)
def test_the_message_alone_is_enough(name: str) -> None:
    error = CLASSES[name]("what happened")
    assert isinstance(error, IncusError)
    assert (error.message, str(error), error.args) == ("what happened", "what happened", ("what happened",))
    assert (error.status_code, error.response) == (None, None)
    assert str(CLASSES[name]()) == ""


def test_attributes() -> None:
    api = IncusAPIError("m", 404, {"error": "x"})
    assert (api.message, api.status_code, api.response) == ("m", 404, {"error": "x"})
    cause = OSError(111, "refused")
    connection = IncusConnectionError("m", cause, sent=True)
    assert (connection.cause, connection.sent, IncusConnectionError("m").sent) == (cause, True, False)
    assert pickle.loads(pickle.dumps(connection)).cause.errno == 111
    assert IncusMissingExtensionError("m", "container_nic").extension == "container_nic"
    for kind in (IncusOperationError, IncusOperationTimeoutError, IncusOperationConflictError):
        operation = kind("m", "id", {"err": "x"})
        assert (operation.message, operation.operation_id, operation.response) == ("m", "id", {"err": "x"})
        assert pickle.loads(pickle.dumps(operation)).operation_id == "id"
        assert str(operation) == "m"


def test_they_are_what_programs_catch() -> None:
    assert issubclass(IncusArgumentError, ValueError)
    assert issubclass(IncusTimeoutError, TimeoutError)
    assert issubclass(IncusOperationTimeoutError, TimeoutError)
    assert not issubclass(IncusConnectionError, ConnectionError)
