"""Bayesian and Markov graphs: separation with witnesses, I-maps, exact tables, drawings."""
