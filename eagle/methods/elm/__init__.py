"""ELM (Tennenholtz et al., arXiv 2310.04475): a language model that reads points of the latent space, as a baseline."""
