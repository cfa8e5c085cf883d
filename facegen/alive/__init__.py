"""What living faces do beside their expressions: blinks, gaze, motion of the head and breath, as curves and on a
mesh."""
