"""An optimiser for weights that are matrices, beside Adam for all others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

MOMENTUM = 0.95
"""Share of the old mean gradient in the new one, for matrices (Jordan et al.)."""
BETAS, EPSILON = (0.9, 0.999), 1e-8
"""Adam's, for all other weights: shares of the old mean gradient and of its old mean square in the new ones, and what
keeps its quotient finite, in the gradient's unit (Kingma and Ba, 2015; torch's defaults too)."""
QUINTIC, QUINTIC_STEPS = (3.4445, -4.7750, 2.0315), 5
"""Coefficients of x, x^3 and x^5 that bring singular values from (0, 1] to between 0.7 and 1.2 in five steps (Jordan et
al.). More steps bring them no nearer to 1: the coefficients are for speed."""
NORM_FLOOR = 1e-7
"""Added to a gradient's norm before it is divided by, in the gradient's unit, for one that is zero (Jordan et al.)."""


class Muon(Optimizer):
    r"""Matrices take steps whose singular values are all alike; every other parameter takes Adam's.

    .. math:: M \leftarrow 0.95\, M + 0.05\, G, \quad W \leftarrow W - \eta \sqrt{\max(1, m / n)}\, U V^T
        \quad\text{with}\quad 0.05\, G + 0.95\, M = U \Sigma V^T

    A gradient of shared spiral weights is nearly of low rank, and Adam crawls along its weak directions; here the step
    is as long along each. :math:`U V^T` is approached by a few products (Newton-Schulz).

    `torch.optim.Muon` (torch 2.13) does not serve: it refuses weights of more than two axes, as those of spirals are,
    and computes the products in bfloat16.

    Args:
        matrices: weights of two or more axes; all axes but the last are the m rows.
        others: all other weights.
        lr: learning rate of both.
        weight_decay: L2 penalty inside the gradient of both.
        others_lr: learning rate of the others, where it is another.

    Reference:
        Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
    """

    def __init__(
        self,
        matrices: Iterable[Tensor],
        others: Iterable[Tensor],
        lr: float,
        weight_decay: float = 0.0,
        others_lr: float | None = None,
    ) -> None:
        groups: list[dict[str, Any]] = [
            {"params": list(matrices), "matrices": True},
            {"params": list(others), "matrices": False, "lr": lr if others_lr is None else others_lr},
        ]
        super().__init__(groups, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    grad = weight.grad.add(weight, alpha=group["weight_decay"])
                    move = self._matrix_step if group["matrices"] else self._adam_step
                    move(weight, grad, group["lr"])
        return loss

    def _matrix_step(self, weight: Tensor, grad: Tensor, lr: float) -> None:
        momentum = self.state[weight].setdefault("momentum", torch.zeros_like(weight)).lerp_(grad, 1 - MOMENTUM)
        rows, columns = prod(weight.shape[:-1]), weight.shape[-1]
        direction = orthogonal(grad.lerp(momentum, MOMENTUM).reshape(rows, columns))
        weight.add_(direction.view_as(weight), alpha=-lr * max(1.0, rows / columns) ** 0.5)

    def _adam_step(self, weight: Tensor, grad: Tensor, lr: float) -> None:
        state = self.state[weight]
        state["step"] = count = state.get("step", 0) + 1
        mean = state.setdefault("mean", torch.zeros_like(weight)).lerp_(grad, 1 - BETAS[0])
        square = state.setdefault("square", torch.zeros_like(weight)).lerp_(grad.square(), 1 - BETAS[1])
        size = (square / (1 - BETAS[1] ** count)).sqrt_().add_(EPSILON)
        weight.addcdiv_(mean, size, value=-lr / (1 - BETAS[0] ** count))


def orthogonal(matrix: Tensor) -> Tensor:
    """About :math:`U V^T` of an (m, n) matrix :math:`U S V^T`: all singular values are brought to about one."""
    a, b, c = QUINTIC
    x = matrix / (matrix.norm() + NORM_FLOOR)
    x = x.t() if len(matrix) > matrix.shape[1] else x
    for _ in range(QUINTIC_STEPS):
        square = x @ x.t()
        x = a * x + (b * square + c * square @ square) @ x
    return x.t() if len(matrix) > matrix.shape[1] else x
