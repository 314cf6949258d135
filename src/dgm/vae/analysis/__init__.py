"""Analyse a trained model: latent space, smiles, refinement, scores."""
