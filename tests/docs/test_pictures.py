"""The pictures in the documentation are those that the script draws."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from docs.pictures import PICTURES, STATIC


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_up_to_date(name: str) -> None:
    drawn = PICTURES[name]()
    assert (STATIC / name).read_text("utf-8") == drawn, "run `python -m docs.pictures`"
    assert ET.fromstring(drawn).tag.endswith("svg")
