"""One file for each source of data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facegen.data.sources.source import Source
from facegen.errors import FacegenError, unknown

OPTIONS = {
    "synthetic": {"subjects", "test_subjects", "frames", "vertices", "fps"},
    "ict_facekit": {"root", "subjects", "test_subjects", "frames", "vertices", "fps", "region"},
    "folder": {"root", "fps"},
}
"""The options that each source takes."""


def open_source(name: str, options: Mapping[str, Any]) -> Source:
    """A source by name.

    Args:
        name: a key of `OPTIONS`.
        options: `seed`, and those of `OPTIONS`; None means not given.

    Raises:
        FacegenError: the source is unknown, takes no such option, or cannot use what it was given.
    """
    if name not in OPTIONS:
        raise FacegenError(unknown("source", name, OPTIONS))
    every = set().union(*OPTIONS.values())
    given = {key: value for key, value in options.items() if key in every and value is not None}
    for key in given:
        if key not in OPTIONS[name]:
            raise FacegenError(f"the source {name} takes no --{key.replace('_', '-')}")
    if "root" in OPTIONS[name] and "root" not in given:
        raise FacegenError(f"the source {name} needs --root, the folder that the dataset lies in")
    if name == "folder":
        from facegen.data.sources.folder import FolderSource

        return FolderSource(given["root"], options["seed"])
    from facegen.data.sources.acting import Casting

    acting = {key: given[key] for key in ("test_subjects", "fps") if key in given}
    if "frames" in given:
        acting["frames"] = tuple(given["frames"])
    casting = Casting(subjects=given.get("subjects", 20), seed=options["seed"], **acting)
    if name == "synthetic":
        from facegen.data.sources.synthetic import SyntheticSource

        return SyntheticSource(casting, given.get("vertices", 2000))
    from facegen.data.sources.ict_facekit import ICTFaceKitSource

    return ICTFaceKitSource(casting, given["root"], given.get("region", "face"), given.get("vertices"))
