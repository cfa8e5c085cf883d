"""The sibling LightningModules."""

from facegen.models.blendshape_generator import BlendshapeGenerator
from facegen.models.expression_classifier import ExpressionClassifier
from facegen.models.spiral_generator import SpiralGenerator

__all__ = ["BlendshapeGenerator", "ExpressionClassifier", "SpiralGenerator"]
