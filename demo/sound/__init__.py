"""The demo world's archive of sound: a few clips made with a speech synthesiser, and what serves them."""
