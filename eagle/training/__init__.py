"""EAGLE's training: value tables from cached transitions, the all-action phase, on-policy rollouts, and the trainer."""
