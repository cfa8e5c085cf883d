"""The 468 points of a face by name, and files of them."""
