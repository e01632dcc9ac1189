"""Sends descriptors from one process to another."""

from __future__ import annotations

import os
import socket


def send(asked: socket.socket, message: bytes, descriptors: list[int]) -> None:
    socket.send_fds(asked, [message], descriptors)


def receive(heard: socket.socket, size: int, most: int) -> tuple[bytes, list[int]]:
    """The descriptors of one message, empty at the end. No executed program inherits them."""
    # recv_fds has a parameter for the flag that does so at once, and passes it on to nobody.
    message, descriptors, _, _ = socket.recv_fds(heard, size, most)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return message, descriptors
