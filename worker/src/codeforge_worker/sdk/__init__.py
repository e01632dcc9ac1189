"""Backends that are functions: what `from codeforge_worker import …` offers, and how the worker finds and runs them."""
