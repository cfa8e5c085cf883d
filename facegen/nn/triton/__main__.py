"""`python -m facegen.nn.triton` compares the kernels with the plain form on this machine's card, and hides no error."""

from __future__ import annotations

import sys

import torch

from facegen.nn.triton import DEVICE
from facegen.nn.triton.self_test import ALLOWED, differences

if __name__ == "__main__":
    found = differences(torch.device(DEVICE))
    for kind, difference in found.items():
        name = str(kind).removeprefix("torch.")
        print(
            f"{name}: the largest difference is {difference:.1e} of the largest number, allowed is {ALLOWED[kind]:.0e}"
        )
    sys.exit(not all(found[kind] <= allowed for kind, allowed in ALLOWED.items()))
