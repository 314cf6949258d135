"""Step 5: hold the PDF against the sources."""
