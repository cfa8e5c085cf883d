"""What is in a file or a folder, and whether it is sound."""
