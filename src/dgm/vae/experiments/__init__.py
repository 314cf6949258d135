"""Train many models and compare them."""
