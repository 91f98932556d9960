"""The report: one self-contained page that a manager can read, the costs, and the gaps found."""

from eagle.report.stage import run

__all__ = ["run"]
