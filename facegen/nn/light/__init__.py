"""facegen's own networks by numpy and the compiled forms alone: what only animates starts without loading torch.

Every part computes what the network of the same name does, from the same weights by the same names.
"""
