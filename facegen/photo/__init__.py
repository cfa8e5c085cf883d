"""A neutral of a model's topology from one photograph (section 5.6, Figure 7)."""
