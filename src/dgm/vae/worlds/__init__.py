"""Draw images whose factors are known."""
