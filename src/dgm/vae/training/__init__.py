"""Train, resume, identify and record."""
