# SPDX-License-Identifier: Apache-2.0
"""
The hub's side of a comparison: the program that is asked, and how a question that shows a
difference is made as small as it can be.
"""

import decimal
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HUB_BUILD_DIR", ROOT / "build" / "debug")).resolve()
PRICE_BATCH = pathlib.Path(os.environ.get("PRICE_BATCH", BUILD / "tests" / "price-batch"))

class Hub:
    """The program that answers a line with a line."""

    def __init__(self):
        self.process = subprocess.Popen([PRICE_BATCH], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1 << 20)

    def ask_line(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def ask(self, question):
        return self.ask_line(json.dumps(question))

    def close(self):
        self.process.stdin.close()
        return self.process.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def exact(line):
    """The document as the oracle reads it: from its text, numbers exact."""
    return json.loads(line, parse_float=decimal.Decimal)


def smaller(value):
    """(a path, a smaller value) for everything that can be left out or made simple."""
    if isinstance(value, dict):
        for key in list(value):
            rest = {k: v for k, v in value.items() if k != key}
            yield rest
            for inner in smaller(value[key]):
                yield {**value, key: inner}
    elif isinstance(value, list):
        for i in range(len(value)):
            yield value[:i] + value[i + 1:]
        for i, item in enumerate(value):
            for inner in smaller(item):
                yield value[:i] + [inner] + value[i + 1:]
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        for simple in (0, 1, round(value), round(value, 2)):
            if simple != value and abs(simple) <= abs(value):
                yield simple


def shrink(differ, question, rounds=300):
    """The smallest question that still shows a difference in what differed first."""
    wanted = set(differ(question))
    for _ in range(rounds):
        for candidate in smaller(question):
            if wanted & set(differ(candidate)):
                question = candidate
                break
        else:
            break
    return question
