"""ARKit's 52 shapes: a basis of them, their way onto any mesh, and the weights that a motion has in them."""
