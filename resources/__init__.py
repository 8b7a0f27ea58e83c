"""Resources: one file for each system that is not ours. They speak in records and decide nothing."""
