"""Sensors and schedules: they notice that the outside changed, or ask for a run. What they decide by is a pure function."""
