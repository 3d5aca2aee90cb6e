"""The closed loop: one control step, clock, recorder, run folder."""
