"""Closed forms of Gaussian, Laplace and finite models."""
