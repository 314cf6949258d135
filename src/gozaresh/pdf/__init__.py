"""A PDF's own layers: fonts, content streams, tags, text."""
