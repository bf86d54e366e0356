"""When and on what something was measured."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import metadata

from .setting import Setting

__all__ = ["about"]

PACKAGES = {"incus_sdk": "incus-python", "aiohttp": "aiohttp", "msgspec": "msgspec", "pylxd": "pylxd"}


def about(setting: Setting, *, quick: bool) -> dict[str, object]:
    """What a reader has to know to judge figures."""
    return {
        "Measured on": f"{datetime.now(UTC):%Y-%m-%d}" + (" (a quick run)" if quick else ""),
        "Incus": setting.daemon.version if setting.daemon else "none",
        "Python": platform.python_version(),
        **{name: version for name, package in PACKAGES.items() if (version := _version(package))},
        "processors": f"{os.cpu_count()} ({platform.machine()})",
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
