"""Learning: how good the model in use is, on labels it has not learnt from, and what may take its place."""
