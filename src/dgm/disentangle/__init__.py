"""How well a code tells the factors of its data apart: scores from codes and known factors, by NumPy alone.

Each takes codes (N, D) and a :class:`~dgm.disentangle.truth.Truth` (N, K), knows nothing of models, and is 1 for a code
whose every dimension holds one factor.  A code that holds none scores about 0 where information is measured, and what
guessing scores where accuracy is.
"""
