"""Step 1: percent scripts to cells and notebooks. Stays empty, since kernels import it."""
