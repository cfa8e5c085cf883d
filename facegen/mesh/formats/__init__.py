"""One reader and writer for each kind of mesh file."""
