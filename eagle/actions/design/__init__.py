"""G-optimal design: certified solvers, the paper's sampler beside them, and the stage."""

from eagle.actions.design.solver import Design, optimal_design, optimal_designs

__all__ = ["Design", "optimal_design", "optimal_designs"]
