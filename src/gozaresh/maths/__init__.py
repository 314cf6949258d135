"""LaTeX formulas as a tree, as Typst and as spoken Persian."""
