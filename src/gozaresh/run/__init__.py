"""Step 2: run notebooks, or take an earlier run. Stays empty, since kernels import it."""
