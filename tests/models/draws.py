"""What to draw a take by, tried: `python tests/models/draws.py CHECKPOINT CORPUS [PEOPLE]`.

Three ways behind one trained `PerformanceGenerator`: its code from the normal distribution, its code as large as takes'
codes are, and, without a code, what the code adds to each frame's latent by a small diffusion over the whole sequence,
which is trained here on the takes that trained the generator. Takes of test people are compared as `evaluate` compares
them, without a classifier; milliseconds are those of one draw of a take, label to latents.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facegen import checkpoint
from facegen.data.corpus import Corpus
from facegen.evaluation.diversity import diversity
from facegen.evaluation.label_mean import LabelMean
from facegen.evaluation.performances import Performer
from facegen.models.style_lessons import training_people
from facegen.nn.performance_network import PerformanceNetwork

HIDDEN, BLOCKS, NOISES, DRAWN_IN = 96, (1, 2, 4, 8, 16, 1, 2, 4, 8), 1000, 25
STEPS, TAKES, RATE = 4000, 8, 1e-3
SHOWN = ("within", "between", "density", "coverage", "frechet", "late_frames", "outside", "best_mm")


class Denoiser(nn.Module):
    """Noise in a sequence of latents (B, Z, T), of what each frame is told (B, C, T) and of how much noise there is."""

    def __init__(self, latent: int, told: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(latent + told, HIDDEN, 1)
        self.level = nn.Sequential(nn.Linear(16, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, HIDDEN * len(BLOCKS)))
        self.blocks = nn.ModuleList(nn.Conv1d(HIDDEN, HIDDEN, 3, padding=d, dilation=d) for d in BLOCKS)
        self.last = nn.Conv1d(HIDDEN, latent, 1)

    def forward(self, noisy: Tensor, told: Tensor, level: Tensor) -> Tensor:
        turned = level[:, None] * 2.0 ** torch.arange(8) * torch.pi / 2
        shifts = self.level(torch.cat([turned.sin(), turned.cos()], 1)).chunk(len(BLOCKS), 1)
        seen = self.first(torch.cat([noisy, told], 1))
        for block, shift in zip(self.blocks, shifts, strict=True):
            seen = seen + nn.functional.silu(block(seen + shift[..., None]))
        return self.last(seen)


class SequenceDiffusion:
    """Draws what a take's code would add to the latents of its label.

    Trained to tell the velocity of the noise (Salimans and Ho, "Progressive distillation", ICLR 2022), drawn by DDIM
    (Song et al., ICLR 2021), with a cosine for how much noise there is (Nichol and Dhariwal, ICML 2021).
    """

    def __init__(self, network: PerformanceNetwork, corpus: Corpus) -> None:
        self.network, rows = network, {name: k for k, name in enumerate(training_people(corpus))}
        self.takes: list[tuple[Tensor, Tensor]] = []
        with torch.inference_mode():
            styles = network.people
            for i in corpus.split("train"):
                motion, style = torch.from_numpy(corpus.motion(i)), styles[rows[corpus.entries[i].subject]]
                code = network.take_of(torch.from_numpy(corpus.displacement(i)), motion, style)
                ptr = torch.tensor([0, len(motion)])
                mean = network.latents(motion, ptr, style[None])
                left = network.latents(motion, ptr, style[None], code[None]) - mean
                self.takes.append((left.t(), self._told(motion, mean, style)))
        every = torch.cat([left for left, _ in self.takes], 1)
        self.unit = every.std(1, keepdim=True) + 1e-3
        self.denoiser = Denoiser(len(every), len(self.takes[0][1]))
        self._train()

    @staticmethod
    def _told(motion: Tensor, mean: Tensor, style: Tensor) -> Tensor:
        return torch.cat([motion, mean, style.expand(len(motion), -1)], 1).t()

    def _train(self) -> None:
        torch.manual_seed(0)
        optimizer = torch.optim.AdamW(self.denoiser.parameters(), RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, STEPS)
        for step in range(STEPS):
            chosen = [self.takes[int(k)] for k in torch.randint(len(self.takes), (TAKES,))]
            longest = max(left.shape[1] for left, _ in chosen)
            clean, told = (
                torch.stack([nn.functional.pad(each[part], (0, longest - each[part].shape[1])) for each in chosen])
                for part in (0, 1)
            )
            level = torch.rand(TAKES)
            keep, add = _shares(level)
            noise = torch.randn_like(clean)
            found = self.denoiser(keep * clean / self.unit + add * noise, told, level)
            loss = (found - (keep * noise - add * clean / self.unit)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if step % 500 == 499:
                print(f"diffusion: {step + 1} of {STEPS}, {loss.item():.3f}", file=sys.stderr, flush=True)

    @torch.inference_mode()
    def draw(self, motion: Tensor, style: Tensor, seed: int) -> Tensor:
        """(T, Z): the latents of a take."""
        mean = self.network.latents(motion, torch.tensor([0, len(motion)]), style[None])
        told = self._told(motion, mean, style)[None]
        made = torch.randn(1, *mean.t().shape, generator=torch.Generator().manual_seed(seed))
        levels = torch.linspace(0.999, 0, DRAWN_IN + 1)
        for level, after in zip(levels, levels[1:], strict=False):
            keep, add = _shares(level[None])
            velocity = self.denoiser(made, told, level[None])
            clean, noise = keep * made - add * velocity, add * made + keep * velocity
            keep, add = _shares(after[None])
            made = keep * clean + add * noise
        return mean + (made[0] * self.unit).t()


def _shares(level: Tensor) -> tuple[Tensor, Tensor]:
    return (level * torch.pi / 2).cos()[:, None, None], (level * torch.pi / 2).sin()[:, None, None]


class Drawing(Performer):
    """A performer whose takes are drawn in a way of their own."""

    latents: Callable[[Tensor, Tensor, int], Tensor]

    def performed(self, motion: np.ndarray, neutral: np.ndarray, style: Tensor, seed: int) -> np.ndarray:
        with torch.inference_mode():
            made = self.network.decoder(self.latents(torch.from_numpy(motion), style, seed))
            return (made * self.network.proportions(torch.from_numpy(neutral)[None])[0]).numpy()


def main(path: Path, root: Path, people: int) -> None:
    torch.set_num_threads(1)
    model, corpus = checkpoint.load(path), Corpus(root)
    few = copy(corpus)
    chosen = sorted({corpus.entries[i].subject for i in corpus.split("test")})[:people]
    few.split = lambda name: [  # pyright: ignore[reportAttributeAccessIssue]
        i for i in corpus.split(name) if name != "test" or corpus.entries[i].subject in chosen
    ]
    mean, network = LabelMean.fit(corpus), model.network
    drawing = Drawing(model, corpus, torch.device("cpu"))

    def coded(code: Callable[[int], Tensor]) -> Callable[[Tensor, Tensor, int], Tensor]:
        def latents(motion: Tensor, style: Tensor, seed: int) -> Tensor:
            return network.latents(motion, torch.tensor([0, len(motion)]), style[None], code(seed)[None])

        return latents

    ways = {
        "normal": coded(lambda seed: torch.randn(network.take, generator=torch.Generator().manual_seed(seed))),
        "as large as takes'": coded(network.draw_take),
        "diffusion": SequenceDiffusion(network, corpus).draw,
    }
    for name, latents in ways.items():
        drawing.latents = latents
        found: Any = diversity(few, mean, [drawing], lambda _: [])["by_expression"]["total"]
        numbers = {
            "within": found["within_mm"] / found["within_recorded_mm"],
            "between": found["between_mm"] / found["between_recorded_mm"],
            **{key: found[key] for key in SHOWN[2:7]},
            "best_mm": np.mean([_error(few, i, drawing.best(i)) for i in few.split("test")]),
        }
        first = few.split("test")[0]
        label, style = torch.from_numpy(corpus.motion(first)), drawing.style_drawn(0)
        start = time.perf_counter()
        with torch.inference_mode():
            for seed in range(20):
                latents(label, style, seed)
        taken = f"{50 * (time.perf_counter() - start):.1f} ms"
        print(name, *(f"{key} {value:.3f}" for key, value in numbers.items()), taken, flush=True)


def _error(corpus: Corpus, index: int, made: np.ndarray) -> float:
    return float(np.linalg.norm(made - corpus.displacement(index), axis=-1).mean())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 18)
