"""`python -m facegen.nn.triton` compares the kernels with the plain form on this machine's card, and hides no error."""

from __future__ import annotations

import sys

import torch

from facegen.nn.triton import DEVICE


def main() -> int:
    if not torch.cuda.is_available():
        print("the kernels run on an NVIDIA card that torch can use, and there is none here", file=sys.stderr)
        return 2
    from facegen.nn.triton.self_test import ALLOWED, differences  # which imports Triton

    found = differences(torch.device(DEVICE))
    for kind, difference in found.items():
        name = str(kind).removeprefix("torch.")
        print(f"{name}: differs by {difference:.1e} of the largest number, at most {ALLOWED[kind]:.0e} is expected")
    return 0 if all(found[kind] <= allowed for kind, allowed in ALLOWED.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
