"""Step 4: Typst markup to a tagged PDF whose text can be copied."""
