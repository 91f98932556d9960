"""Rules and small policies that any reader will ask for, acting through the same protocol as EAGLE."""
