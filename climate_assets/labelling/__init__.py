"""Labelling: what a fact-checker is asked, in which order, and whether the question has arrived."""
