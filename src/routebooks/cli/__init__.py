"""The command line: noun, then verb."""

from routebooks.cli.main import build, log_to_stderr, run

__all__ = ["build", "log_to_stderr", "run"]
