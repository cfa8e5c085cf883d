"""A template bent onto any face mesh, and its motion carried there; it draws nothing and knows no model."""
