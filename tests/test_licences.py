"""Licences of what facegen depends on."""

from __future__ import annotations

import pytest
from licences import dependencies, kinds, licence


def test_everything_that_users_install_may_be_used_as_facegen_may() -> None:
    found = dependencies()
    assert {"torch", "numpy", "zarr"} <= set(found)
    assert {name: licence(held) for name, held in found.items() if not kinds(licence(held))} == {}


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("Apache-2.0 AND MIT", ["MIT", "Apache"]),
        ("BSD License", ["BSD"]),
        ("GPL-3.0-only OR MIT", []),
        ("GNU Lesser General Public License v3", []),
        ("CC-BY-NC-4.0", []),
        ("", []),
    ],
)
def test_what_is_not_known_is_not_allowed(said: str, named: list[str]) -> None:
    assert kinds(said) == named
