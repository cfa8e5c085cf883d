"""Rendering, light, paint, sheets of pictures, plots, film."""
