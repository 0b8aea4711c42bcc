"""Starts the real programs for the tests, on ports the kernel picks, and stops them again."""
