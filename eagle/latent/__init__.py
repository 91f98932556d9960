"""Latent space: factors from ratings, and the text encoder E_D into their space."""
