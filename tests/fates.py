"""What test_side_by_side has done in other processes, which must be able to import it."""

import os
import signal

from doudi.side_by_side import Tell
from doudi.warehouse.connection import WarehouseError


class _NoPickle(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(one)


def work(thing: str, tell: Tell) -> str:
    tell(f"{thing} begun")
    if thing == "fails":
        raise WarehouseError("load 1: DiskFull", sqlstate="53100")
    if thing == "cannot be told":
        raise _NoPickle("a row's value", "another")
    if thing == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{thing} done by {os.getpid()}"
