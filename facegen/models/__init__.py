"""The sibling LightningModules."""

from facegen.models.spiral_generator import SpiralGenerator

__all__ = ["SpiralGenerator"]
