"""Benchmarks: what `make bench` runs. Each prints a ratio against a baseline measured in the same run."""
