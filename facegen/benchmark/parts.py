"""What is timed: decoding, a training step, preparing, and reading a corpus."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from facegen.benchmark.measure import Work, by_turns, compared, extra_memory, say
from facegen.benchmark.work import decoder_work, share_of_ceiling
from facegen.data.sources.casting import Casting
from facegen.data.sources.synthetic import SyntheticSource
from facegen.memory import forget
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.motion.label import EXPRESSIONS
from facegen.nn.losses import motion_loss
from facegen.nn.spiral_network import SpiralNetwork

SPIRAL_LENGTH = 9
"""L of the comparison, the same at all levels. Chosen; the work of both forms grows with it."""
SEQUENCE_FRAMES = 100
"""Frames of a training step and of a sequence that the loader reads. Chosen; times grow with it."""
SHORT_FRAMES, SHORT_REPEATS = 50, 3
"""Decoding fewer than `SHORT_FRAMES` frames is repeated `SHORT_REPEATS` times as often, since short runs scatter more.
Chosen; only how long a benchmark takes and how steady its medians are depend on them."""
BUILD_REPEATS = 3
"""Rounds of building the hierarchy at most, since each takes a second or two at the paper's size. Chosen; more would
steady the median."""


@dataclass
class Setting:
    """Sizes of a run.

    Args:
        vertices: of the built-in template.
        frames: numbers of frames to decode.
        repeats: rounds that count.
        gather: whether the published form runs too, which gathers every spiral's features.
        device, dtype: that the work runs on and in.
    """

    vertices: int
    frames: list[int]
    repeats: int
    gather: bool
    device: torch.device
    dtype: torch.dtype


def make_source(setting: Setting, subjects: int = 2) -> SyntheticSource:
    """The built-in faces at the size that the setting asks for."""
    return SyntheticSource(Casting(subjects, frames=(SEQUENCE_FRAMES, SEQUENCE_FRAMES)), setting.vertices)


def build(source: SyntheticSource) -> MeshHierarchy:
    """The hierarchy of the source's template, as in the paper except for L."""
    return MeshHierarchy.build(source.template, reference=source.reference, spiral_length=SPIRAL_LENGTH)


def published(network: SpiralNetwork, hierarchy: MeshHierarchy, **settings: Any) -> SpiralNetwork:
    """The same network as published code computes it: unpooled, then gathered, then multiplied, in plain torch.

    `settings` are those with which the network was made.

    Published code unpools by an index and a sum for each entry of the matrix, or by a dense matrix. torch's sparse
    product, which stands here, is faster: at the paper's size it takes an eighth of the former's time on two cores.
    """
    other = SpiralNetwork(hierarchy, network.encoder.lstm.input_size, **settings, fused=False)
    other.load_state_dict(network.state_dict())
    return other


def plain_loss(generated: Tensor, recorded: Tensor) -> Tensor:
    """Eq. 5 of one sequence, written as the equation reads."""
    steps, wanted = generated[1:] - generated[:-1], recorded[1:] - recorded[:-1]
    return (generated - recorded).abs().mean() + (steps - wanted).abs().mean()


def decoder(setting: Setting, ceilings: dict[str, float]) -> dict[str, object]:
    """Decoding: frames from latents, without gradients."""
    hierarchy = build(make_source(setting))
    network = SpiralNetwork(hierarchy, len(EXPRESSIONS)).to(setting.device, setting.dtype)
    forms: dict[str, nn.Module] = {"fused": network.decoder}
    if setting.gather:
        forms["gather"] = published(network, hierarchy).decoder.to(setting.device, setting.dtype)
    result: dict[str, object] = {"levels": list(hierarchy.sizes)}
    for frames in setting.frames:
        say(f"decoder: {frames} frames of {setting.vertices} vertices")
        latent = torch.randn(frames, network.encoder.lstm.hidden_size, device=setting.device, dtype=setting.dtype)
        works: dict[str, Work] = {name: (lambda form=form: form(latent)) for name, form in forms.items()}  # noqa: B023
        with torch.no_grad():
            forget()
            memory = {name: extra_memory(work, setting.device) for name, work in works.items()}
            repeats = setting.repeats * (SHORT_REPEATS if frames < SHORT_FRAMES else 1)
            row = compared(by_turns(works, repeats, setting.device))
        counted = decoder_work(network.decoder, frames)
        row |= {"share_of_ceiling": share_of_ceiling(counted, row["fused_ms"], ceilings)}
        row |= {
            "gflop": counted[0] / 1e9,
            "moved_mb": counted[1] / 1e6,
            "frames_per_second": 1e3 * frames / row["fused_ms"],
        }
        result[str(frames)] = row | _named(memory)
    return result


def _named(memory: dict[str, float]) -> dict[str, float]:
    names = {"fused": "extra_mb", "gather": "gather_extra_mb"}
    return {names[form]: value for form, value in memory.items()}


def train(setting: Setting, ceilings: dict[str, float]) -> dict[str, float]:
    """A training step: label to latents to displacements, Eq. 5, backward, Adam."""
    say(f"train: a step of {SEQUENCE_FRAMES} frames of {setting.vertices} vertices")
    hierarchy = build(make_source(setting))
    network = SpiralNetwork(hierarchy, len(EXPRESSIONS)).to(setting.device, setting.dtype)
    make = {"device": setting.device, "dtype": setting.dtype}
    motion = torch.rand(SEQUENCE_FRAMES, len(EXPRESSIONS), **make)
    # Each form gets the recording as it has it in memory: frames innermost as a corpus stores it, or outermost.
    recorded = torch.randn(setting.vertices, 3, SEQUENCE_FRAMES, **make).permute(2, 0, 1)
    outermost, ptr = recorded.contiguous(), torch.tensor([0, SEQUENCE_FRAMES])
    adam = partial(torch.optim.Adam, lr=1e-3, weight_decay=5e-5)
    optimizer = adam(network.parameters())

    def step() -> None:
        motion_loss(network(motion, ptr), recorded, ptr)[0].backward()
        optimizer.step()
        optimizer.zero_grad()  # here, so that what a step frees is what it has made

    works: dict[str, Work] = {"fused": step}
    if setting.gather:
        gather = published(network, hierarchy).to(**make)
        other = adam(gather.parameters())

        def gather_step() -> None:
            plain_loss(gather(motion, ptr), outermost).backward()
            other.step()
            other.zero_grad()

        works["gather"] = gather_step
    for work in works.values():  # Adam's moments stay, so they are not extra
        work()
    forget()
    memory = {name: extra_memory(work, setting.device) for name, work in works.items()}
    row = compared(by_turns(works, max(1, setting.repeats // 2), setting.device))
    # Backward takes each product of forward twice, by features and by weights; label, loss and Adam are not counted.
    operations, moved = decoder_work(network.decoder, SEQUENCE_FRAMES)
    row["share_of_ceiling"] = share_of_ceiling((3 * operations, 3 * moved), row["fused_ms"], ceilings)
    return row | _named(memory)


def prepare(setting: Setting) -> dict[str, float]:
    """Hierarchy and spirals of one template, and the six sequences of one built-in person, 45 to 75 frames each."""
    say(f"prepare: hierarchy and spirals of {setting.vertices} vertices")
    source, people = make_source(setting), SyntheticSource(Casting(setting.repeats + 1), setting.vertices)
    subject = iter(people.subjects)
    works: dict[str, Work] = {"build": lambda: build(source), "act": lambda: _act(people, next(subject))}
    times = by_turns(works, min(BUILD_REPEATS, setting.repeats), torch.device("cpu"))
    row = {"seconds": median(times["build"]) / 1e3, "min_seconds": min(times["build"]) / 1e3}
    return row | {"subject_seconds": median(times["act"]) / 1e3}


def _act(people: SyntheticSource, subject: str) -> None:
    for key in people.keys:
        if key.subject == subject:
            people.read(key)


def loader(setting: Setting) -> dict[str, float]:
    """Batches of one sequence, read and turned into mm as training gets them, from files that the system has cached.

    In the first epoch every sequence is also checked against its digest.
    """
    from facegen.data import prepare as preparing
    from facegen.data.module import ExpressionDataModule

    with tempfile.TemporaryDirectory() as folder:
        path, source = Path(folder) / "corpus", make_source(setting, subjects=3)
        each = f"{SEQUENCE_FRAMES} frames of {setting.vertices} vertices each"
        say(f"loader: a corpus of {len(source.keys)} sequences, {each}")
        start = perf_counter()
        preparing.prepare(source, "synthetic", path)
        result = {"prepare_seconds_a_sequence": (perf_counter() - start) / len(source.keys)}
        data = ExpressionDataModule(str(path))
        batches = data.train_dataloader()

        def epoch() -> Tensor | None:
            last = None
            for batch in batches:
                last = data.on_after_batch_transfer(batch.to(setting.device), 0).displacement
            return last

        start = perf_counter()
        epoch()
        result["first_frames_per_second"] = SEQUENCE_FRAMES * len(batches) / (perf_counter() - start)
        times = by_turns({"epoch": epoch}, setting.repeats, setting.device)["epoch"]
        result["frames_per_second"] = 1e3 * SEQUENCE_FRAMES * len(batches) / median(times)
    return result
