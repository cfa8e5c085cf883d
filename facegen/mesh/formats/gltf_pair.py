"""`.gltf`, the description as text, and the file of numbers beside it, as a pair that stays one."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from facegen.files import new_file
from facegen.places import DIGITS, named_after, onto_disk


def write_pair(path: Path, fill: Callable[[BinaryIO], dict[str, Any]]) -> int:
    """Write a description and, where it has a buffer, its numbers in `NAME.DIGEST.bin` beside it.

    Two files cannot be renamed at once. So the numbers are named after their content: whichever description is there,
    and whoever else writes one of the same name, the numbers that it names are its own. Numbers of descriptions before
    it stay, since another may name them.

    Args:
        path: of the `.gltf`.
        fill: writes the numbers and returns the description, whose first buffer still lacks its address.

    Returns:
        Bytes of both.

    Raises:
        FacegenError: see `new_file`.
    """
    with new_file(path) as aside:
        numbers = aside.with_suffix(".bin")
        try:
            with numbers.open("w+b") as file:
                document = fill(file)
                file.seek(0)
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            size, place = numbers.stat().st_size, named_after(path, f".{digest[:DIGITS]}.bin")
            if document.get("buffers"):
                document["buffers"][0]["uri"] = quote(place.name)
            aside.write_text(json.dumps(document, indent=1), encoding="utf-8")
            onto_disk(aside)  # what has no room is told before the numbers have their name
            if document.get("buffers"):
                with new_file(place) as beside:  # before the description, which never stands without
                    os.replace(numbers, beside)
        finally:
            numbers.unlink(missing_ok=True)
        return size + aside.stat().st_size
