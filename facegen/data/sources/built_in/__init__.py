"""Heads made by formulas, which other rooms may use too: landmarks, regions, people, and action units to move them.

>>> import numpy as np
>>> who = draw_person(variety(2000), np.random.default_rng(0))
>>> who.pose({"AU12_L": np.linspace(0, 1, 5), "AU12_R": np.linspace(0, 1, 5)}).shape  # a smile
(5, 2000, 3)
>>> int(landmarks(2000)["prn"]) < 2000, int(regions(2000)["mouth"].sum()) > 100
(True, True)
"""

from facegen.data.sources.built_in.face import face_template
from facegen.data.sources.built_in.landmarks import LANDMARKS, REGIONS, landmarks, regions
from facegen.data.sources.built_in.people import draw_person, variety
from facegen.data.sources.built_in.skin import Head

__all__ = ["LANDMARKS", "REGIONS", "Head", "draw_person", "face_template", "landmarks", "regions", "variety"]
