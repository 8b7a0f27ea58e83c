"""Speech: what was really said in the chunks that matter, and who said it."""
