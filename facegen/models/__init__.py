"""The sibling LightningModules."""

from facegen.models.blendshape_generator import BlendshapeGenerator
from facegen.models.expression_classifier import ExpressionClassifier
from facegen.models.performance_generator import PerformanceGenerator
from facegen.models.spiral_generator import SpiralGenerator

__all__ = ["BlendshapeGenerator", "ExpressionClassifier", "PerformanceGenerator", "SpiralGenerator"]
