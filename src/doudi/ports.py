"""Ports of this machine for what is started on it."""

import socket

LOOPBACK = "127.0.0.1"


def free_port(*wanted: int) -> int:
    """The first of the wanted ports that is free, such as that of the last time, so that bookmarks keep working; else
    any. Nothing listens there, and nothing keeps it from others until the caller does. A port of 0 is not wanted."""
    for port in filter(None, wanted):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex((LOOPBACK, port)) != 0:
                try:
                    probe.bind((LOOPBACK, port))
                    return port
                except OSError:
                    continue
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]
