"""facegen: 4D facial expressions from one neutral mesh and a motion label."""

__version__ = "0.1.0"
