"""A mail server and a web service, on ports of their own, that keep what alerts they are sent."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

RECIPIENTS = ["night@county.example", "office@county.example"]


@dataclass
class Sink:
    """What arrived, as (title, text), and the Airflow connection by which it is reached; ``broken`` refuses all."""

    connection: str = ""
    arrived: list[tuple[str, str]] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    broken: bool = False

    def take(self) -> list[tuple[str, str]]:
        """What has arrived since the last time."""
        taken, self.arrived = self.arrived, []
        return taken


@contextmanager
def mail_sink() -> Iterator[Sink]:
    """A mail server that takes every message."""
    sink = Sink()

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
            if sink.broken:
                return "451 no room for a message to night@county.example"
            message = message_from_bytes(envelope.content, policy=policy.default)
            text = message.get_body(("html", "plain")).get_content()
            sink.raw.append(f"{message}\n{message['subject']}\n{text}")
            sink.recipients.extend(envelope.rcpt_tos)
            sink.arrived.append((message["subject"], text))
            return "250 OK"

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        sink.connection = json.dumps({
            "conn_type": "smtp", "host": "127.0.0.1", "port": port,
            "extra": {
                "from_email": "doudi@county.example", "to": RECIPIENTS, "disable_ssl": True, "disable_tls": True,
                "retry_limit": 1, "timeout": 5,
            },
        })  # fmt: skip
        yield sink
    finally:
        controller.stop()


@contextmanager
def webhook_sink() -> Iterator[Sink]:
    """A web service that takes JSON."""
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if not sink.broken:
                told = json.loads(content)
                sink.raw.append(json.dumps(told, ensure_ascii=False))
                sink.arrived.append((told["title"], told["message"]))
            self.send_response(503 if sink.broken else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        config = {"path": f"json://127.0.0.1:{server.server_port}/alerts", "tag": "all"}
        sink.connection = json.dumps({"conn_type": "apprise", "extra": {"config": config}})
        yield sink
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
