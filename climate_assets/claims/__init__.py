"""Claims: what a model says of a chunk, how its answer is checked, what it costs. Who answers people is labelling."""
