"""Licences of what facegen depends on: `make audit` prints the table, and fails where one is not known."""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement

EXTRAS = ("prepare", "render", "video", "photo", "usd", "abc", "packed", "onnx", "live", "cluster", "studio")
"""What users install; what only the tests, the site and notebooks need is not passed on to anybody."""
ALLOWED = {
    "MIT": r"MIT\b|MIT-0|MIT-CMU",
    "BSD": r"(3-Clause )?BSD\b|0BSD|BSD-\d-Clause|Redistribution and use in source and binary forms",
    "Apache": r"Apache\b|Apache-2\.0|Apache Software",
    "PSF": r"PSF-2\.0|Python Software Foundation",
    "MPL": r"MPL-2\.0|Mozilla Public License 2\.0",
    "TOST": r"LicenseRef-TOST-1\.0",
    "other permissive": r"BSL-1\.0|Zlib|CC0-1\.0|LLVM-exception|Freely Distributable|unencumbered software",
}
"""Licences that allow what facegen's own (MIT) does, and how packages name them. MPL asks for the source of changes to
its own files; TOST is Pixar's form of Apache's."""
REFUSED = re.compile(r"\bA?GPL|Affero|General Public|Proprietary|Commercial|Non-?Commercial|CC-BY-NC", re.I)
"""Words of licences that ask for more, or forbid some uses."""


def licence(found: Distribution) -> str:
    """What a package says of its licence: the expression, or else its classifiers, or else the head of its text."""
    said = found.metadata
    classifiers = [text.split(" :: ")[-1] for text in said.get_all("Classifier") or [] if text.startswith("License ::")]
    text = said.get("License") or ""
    return " ".join((said.get("License-Expression") or ", ".join(classifiers) or text[:600]).split())


def kinds(text: str) -> list[str]:
    """Those of `ALLOWED` that a text names; none where it names one that is refused."""
    return [] if REFUSED.search(text) else [kind for kind, form in ALLOWED.items() if re.search(form, text)]


def dependencies(name: str = "facegen", extras: tuple[str, ...] = EXTRAS) -> dict[str, Distribution]:
    """What a package needs, and what that needs in turn, as far as it is installed, by name; not the package itself."""
    found: dict[str, Distribution] = {}
    wanted = [(name, extras)]
    seen = set()
    while wanted:
        asked = wanted.pop()
        if asked in seen:
            continue
        seen.add(asked)
        try:
            held = distribution(asked[0])
        except PackageNotFoundError:  # of another Python or system, or an extra that is left out
            continue
        found[held.metadata["Name"].lower()] = held
        for text in held.requires or []:
            need = Requirement(text)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *asked[1])):
                wanted.append((need.name, tuple(sorted(need.extras))))
    found.pop(name, None)
    return found


def main() -> int:
    """Print a line for each package; 1 where a licence is not among those that are allowed."""
    strange = 0
    for name, held in sorted(dependencies().items()):
        said = licence(held)
        named = ", ".join(kinds(said))
        strange += not named
        print(f"{name:<28}{held.version:<16}{named or f'NOT ALLOWED: {said[:120]!r}'}")
    return int(bool(strange))


if __name__ == "__main__":
    sys.exit(main())
