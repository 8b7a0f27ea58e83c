"""The demo world's posts: written by hand with their gold spans, and what turns them into files."""
