"""Broadcast: from what the source said to clean chunks and airtime. It judges nothing; that is the claims stage."""
