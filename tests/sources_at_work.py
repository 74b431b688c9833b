"""Servers as departments have them, on ports of their own, that can be cut in the middle and tell what was asked."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

import asyncssh
import boto3
from flask import Flask, Response, jsonify, request
from moto.moto_api._internal import moto_api_backend
from moto.server import ThreadedMotoServer
from werkzeug.serving import make_server

BUCKET = "county-out"
TOKEN = "made-up-token-7"  # noqa: S105 (opens nothing but the server below)


@dataclass
class SftpServer:
    """What the server is reached by, after how many bytes it goes away, and from where it was read.

    It goes away when ``arrived`` says that what it sent has come: what is still on the way is lost with the line.
    """

    port: int = 0
    host_key: str = ""
    password: str = field(default_factory=lambda: token_hex(8))
    cut_after: int | None = None
    arrived: Callable[[], bool] = lambda: True
    offsets: list[int] = field(default_factory=list)
    logins: int = 0


@contextmanager
def sftp_server(folder: Path) -> Iterator[SftpServer]:
    """An SFTP server that holds ``folder`` at its root."""
    server, loop = SftpServer(), asyncio.new_event_loop()

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: asyncssh.SSHServerChannel) -> None:
            super().__init__(channel, chroot=str(folder).encode())
            self.sent = 0

        async def read(self, file_obj: object, offset: int, size: int) -> bytes:
            server.offsets.append(offset)
            self.sent += size
            if server.cut_after is not None and self.sent > server.cut_after:
                while not server.arrived():
                    await asyncio.sleep(0.01)
                self.channel.get_connection().abort()
                raise asyncssh.SFTPConnectionLost("cut")
            return super().read(file_obj, offset, size)

    class Login(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            server.logins += 1
            return (username, password) == ("county", server.password)

    async def listen() -> asyncssh.SSHAcceptor:
        key = asyncssh.generate_private_key("ssh-ed25519")
        server.host_key = " ".join(key.export_public_key().decode().split()[:2])
        return await asyncssh.create_server(Login, "127.0.0.1", 0, server_host_keys=[key], sftp_factory=Files)

    acceptor = loop.run_until_complete(listen())
    server.port = acceptor.get_port()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield server
    loop.call_soon_threadsafe(acceptor.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@dataclass
class Bucket:
    port: int

    @property
    def _client(self) -> Any:
        session = boto3.Session(*["made-up"] * 2, region_name="us-east-1")
        return session.client("s3", endpoint_url=f"http://127.0.0.1:{self.port}")

    def put(self, key: str, content: bytes) -> None:
        self._client.put_object(Bucket=BUCKET, Key=key, Body=content)

    def state(self) -> list[tuple[str, str, int]]:
        listed = self._client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [(entry["Key"], entry["ETag"], entry["Size"]) for entry in listed]


@contextmanager
def object_store() -> Iterator[Bucket]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    store = Bucket(server.get_host_and_port()[1])
    moto_api_backend.reset()  # its state is the process's, and other tests of this process had buckets too
    store._client.create_bucket(Bucket=BUCKET)
    yield store
    server.stop()


class CutProxy:
    """Hands bytes through to a port of this machine until ``cut_after`` came back, and then nothing more."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.restore()

    @property
    def login(self) -> dict[str, Any]:
        """The facts of an Airflow connection to S3 through this proxy."""
        endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        extra = {
            "endpoint_url": endpoint,
            "region_name": "us-east-1",
            "config_kwargs": {"retries": {"max_attempts": 0}},
        }
        return {"conn_type": "aws", "login": "made-up-key", "password": "made-up-secret", "extra": extra}

    def restore(self) -> None:
        self.cut_after: int | None = None
        self.sent = 0

    def __enter__(self) -> "CutProxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._hand_on, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._hand_on, args=(server, client, True), daemon=True).start()

    def _hand_on(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(1 << 14):
                if counts:
                    self.sent += len(piece)
                    if self.cut_after is not None and self.sent > self.cut_after:
                        break
                target.sendall(piece)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # a close would wait for the thread that reads the other way


@dataclass
class Interface:
    """An interface with pages: which are busy once, or cut in the middle, and which were asked for."""

    port: int = 0
    busy_on: int | None = None
    cut_on: int | None = None
    link_host: str = ""
    asked: list[int] = field(default_factory=list)


@contextmanager
def interface(rows: list[dict[str, str]], *, page_size: int) -> Iterator[Interface]:
    """An HTTP interface that gives ``rows`` to who has the token, and names the next page in every way there is."""
    state, app = Interface(), Flask(__name__)

    @app.get("/visits")
    def visits() -> Response | tuple[Response, int, dict[str, str]]:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return jsonify(error="who are you?"), 401, {}
        number = int(request.args.get("page") or request.args.get("after") or 1)
        state.asked.append(number)
        if number == state.busy_on:
            state.busy_on = None
            return jsonify(error="later"), 429, {"Retry-After": "0"}
        if number == state.cut_on:
            line = request.environ["werkzeug.socket"]
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.shutdown(socket.SHUT_RDWR)
        some = rows[(number - 1) * page_size : number * page_size]
        more = len(rows) > number * page_size
        link = f"{state.link_host}/visits?page={number + 1}"
        paging = {"after": str(number + 1), "link": link} if more else {}
        headers = {"Link": f'<{link}>; rel="next"'} if more else {}
        return jsonify(data={"rows": some}, paging=paging), 200, headers

    server = make_server("127.0.0.1", 0, app, threaded=True)
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield state
    server.shutdown()
    thread.join()
