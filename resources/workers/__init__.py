"""Programs that a resource runs in a process of their own: what is heavy, or reads hostile bytes, lives and dies there."""
