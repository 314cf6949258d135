"""Check each step of a derivation, exactly or on models."""
