#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Sends HTTP requests at a steady pace, whatever becomes of those before: pace.py FILE SECONDS.

FILE is JSON: {"host", "port", "streams": [{"name", "per_s", "head", "path", "method", "body"}]}; @N@
in path and body is the request's id. A stream takes a connection that is idle or opens another, up
to MOST. Prints JSON, a list of [name, id, when it was due (epoch), seconds until the answer, status,
OCPI status]; seconds are counted from when it was due, and null means that none came.
"""

import gc
import heapq
import json
import re
import select
import socket
import sys
import time

MOST = 64
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
CODE = re.compile(rb'"status_code": *(\d+)')


class Connection:
    def __init__(self, address):
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.asked = None
        self.got = b""


class Pace:
    def __init__(self, plan, run):
        self.address, self.run = (plan["host"], plan["port"]), run
        self.poll = select.epoll()
        self.by_fd = {}
        self.idle = [[] for _ in plan["streams"]]
        self.open = [0] * len(plan["streams"])
        self.streams = plan["streams"]
        self.answers = []
        self.busy = 0

    def send(self, at, n, number):
        stream = self.streams[at]
        name = f"{self.run}-{at}-{number}"
        wall = time.time() - (time.monotonic() - n)
        if self.idle[at]:
            c = self.idle[at].pop()
        elif self.open[at] < MOST:
            c = Connection(self.address)
            self.open[at] += 1
            self.by_fd[c.socket.fileno()] = c
            self.poll.register(c.socket.fileno(), select.EPOLLIN)
        else:
            self.answers.append([stream["name"], name, wall, None, 0, 0])
            return
        body = stream["body"].replace("@N@", name).encode()
        head = (f"{stream['method']} {stream['path'].replace('@N@', name)} HTTP/1.1\r\nHost: bench\r\n"
                f"{stream['head']}X-Request-ID: {name}\r\nX-Correlation-ID: {name}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        c.stream, c.asked, c.got = at, (name, n, wall), b""
        c.socket.sendall(head + body)
        self.busy += 1

    def close(self, c):
        self.by_fd.pop(c.socket.fileno())
        self.poll.unregister(c.socket.fileno())
        self.open[c.stream] -= 1
        c.socket.close()

    def over(self, c, seconds, status, code):
        name, _, wall = c.asked
        self.answers.append([self.streams[c.stream]["name"], name, wall, seconds, status, code])
        c.asked = None
        self.busy -= 1

    def read(self, c):
        piece = c.socket.recv(65536)
        if not piece:
            if c.asked:
                self.over(c, None, 0, 0)
            elif c in self.idle[c.stream]:
                self.idle[c.stream].remove(c)
            self.close(c)
            return
        c.got += piece
        head, found, body = c.got.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not found or (length and len(body) < int(length[1])):
            return
        code = CODE.search(body)
        self.over(c, time.monotonic() - c.asked[1], int(head.split(None, 2)[1]), int(code[1]) if code else 0)
        if b"connection: close" in head.lower():
            self.close(c)
        else:
            self.idle[c.stream].append(c)

    def go(self, seconds):
        begun = time.monotonic() + 0.1
        end = begun + seconds
        # Evenly spread: no two streams are due together.
        due = [(begun + i / len(self.streams) / s["per_s"], i, 0) for i, s in enumerate(self.streams)]
        heapq.heapify(due)
        while due or (self.busy and time.monotonic() < end + 1):
            now = time.monotonic()
            while due and due[0][0] <= now:
                at, i, number = heapq.heappop(due)
                self.send(i, at, number)
                if at + 1 / self.streams[i]["per_s"] < end:
                    heapq.heappush(due, (at + 1 / self.streams[i]["per_s"], i, number + 1))
            wait = max(due[0][0] - time.monotonic(), 0) if due else 0.1
            for fd, _ in self.poll.poll(wait):
                if fd in self.by_fd:
                    self.read(self.by_fd[fd])
        for c in list(self.by_fd.values()):
            if c.asked:
                self.over(c, None, 0, 0)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    pace = Pace(plan, plan["run"])
    gc.disable()
    pace.go(float(sys.argv[2]))
    json.dump(pace.answers, sys.stdout)


if __name__ == "__main__":
    main()
