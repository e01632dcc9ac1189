"""Keeps an agent within its run: walls by the kernel, and a supervisor that ends all descendants.

`nursery` and `launcher` are programs of their own. They and the modules that they import (`supervisor`, `confined`,
`kernel`, `landlock`, `seccomp`, `processes` and `order`) import little, so that they start quickly. The others belong
to the worker.
"""
