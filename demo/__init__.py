"""Demo: a small fictional world to try the platform on, served over the real protocols."""
