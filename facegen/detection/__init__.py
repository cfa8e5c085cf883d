"""Where a face is in a picture and on a mesh: the detector, and looking at a mesh until a face is seen."""
