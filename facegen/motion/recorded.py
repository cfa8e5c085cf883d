"""What recorded takes do, in numbers: the table that made acting draws from and is compared with."""

from __future__ import annotations

import numpy as np

PLACEHOLDER = True
SPECTRUM = np.array([-3.6, -6.1, -8.5, -10.9, -13.3, -15.5, -17.5, -19.3])
POOLED_SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
POOLED = {
    "rise": (0.169, 0.187, 0.286, 0.422, 0.874, 1.375, 1.946),
    "fall": (0.146, 0.158, 0.185, 0.291, 0.680, 1.127, 1.413),
    "sag": (0.023, 0.034, 0.064, 0.134, 0.194, 0.295, 0.359),
    "left over": (0.0, 0.0, 0.0, 0.102, 0.299, 0.644, 1.0),
}
