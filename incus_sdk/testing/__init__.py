"""A real Incus daemon for tests: started on the spot, gone without a trace.

A fixture that gives one daemon to all tests of a session::

    import pytest
    from incus_sdk.testing import PrivateIncus


    @pytest.fixture(scope="session")
    def incus():
        with PrivateIncus() as daemon:
            yield daemon
"""

from ._errors import PrivateIncusError
from ._private_incus import PrivateIncus

__all__ = ["PrivateIncus", "PrivateIncusError"]
