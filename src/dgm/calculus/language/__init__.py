"""The language of derivations: expressions, notation, steps, and the ledger that prints them."""
