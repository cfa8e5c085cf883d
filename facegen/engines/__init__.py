"""A checkpoint as a file that other programs run: onnxruntime, a browser, a game engine."""
