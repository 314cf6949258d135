"""Variational autoencoders of faces: data, model, objective, training, and what the latent space holds."""
