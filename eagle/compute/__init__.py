"""How work is spread over threads, processes and machines, never what comes out of it."""
