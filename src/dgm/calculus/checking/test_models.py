def counterexample(left, relation, right): return None
