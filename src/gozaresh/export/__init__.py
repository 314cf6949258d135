"""Step 3: executed notebooks to Typst markup."""
