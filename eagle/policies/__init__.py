"""Policies over actions: prompts, LoRA adapters over the frozen language model, and the agents that act with them."""
