# SPDX-License-Identifier: Apache-2.0
"""HTTP by hand, for what no client library would send."""

import json
import re
import socket
import time

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [ -~]*\Z")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([ -~]*)\Z")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"

    def json(self):
        return json.loads(self.body)


def take_answer(data, head_only=False):
    """(the first answer in these bytes, the rest), or (None, data) while it is incomplete."""
    head, found, rest = data.partition(b"\r\n\r\n")
    if not found:
        assert len(data) < 65536, f"endless head: {data[:200]!r}"
        return None, data
    first, *lines = head.split(b"\r\n")
    match = STATUS.match(first)
    assert match, f"no status line: {first!r}"
    headers = {}
    for line in lines:
        field = FIELD.match(line)
        assert field, f"no header field: {line!r}"
        headers[field[1].decode().lower()] = field[2].decode()
    status = int(match[1])
    if status < 200 or status in (204, 304) or head_only:
        return Answer(status, headers, b""), rest
    assert "content-length" in headers, headers
    length = int(headers["content-length"])
    if len(rest) < length:
        return None, data
    return Answer(status, headers, rest[:length]), rest[length:]


class Connection:
    def __init__(self, url, timeout=8):
        host, port = url.split("//")[1].split(":")
        self.host = f"{host}:{port}"
        self.socket = socket.create_connection((host, int(port)), timeout)
        self.data = b""
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False if the other side would not hear it all."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def half_close(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def answer(self, seconds=8):
        """The next answer, or None when the connection ends instead."""
        end = time.monotonic() + seconds
        while True:
            answer, self.data = take_answer(self.data)
            if answer:
                return answer
            if self.closed:
                assert not self.data, f"half an answer: {self.data[:200]!r}"
                return None
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                piece = b""
            self.closed = not piece
            self.data += piece

    def answers(self, seconds=8):
        """All of them, until the connection ends."""
        result = []
        while True:
            answer = self.answer(seconds)
            if not answer:
                return result
            result.append(answer)


def request(method, target, host, headers=(), body=b"", version="HTTP/1.1", length=True):
    """A right request, of which the caller makes a wrong one."""
    lines = [f"{method} {target} {version}".encode()]
    if host is not None:
        lines.append(f"Host: {host}".encode())
    for header in headers:
        lines.append(header if isinstance(header, bytes) else header.encode("latin-1"))
    if length and (body or method in ("POST", "PUT", "PATCH")):
        lines.append(f"Content-Length: {len(body)}".encode())
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
