# SPDX-License-Identifier: Apache-2.0
"""The partners that ./dev bench makes of those of the end-to-end tests still are what nginx is told of."""

import pathlib
import sys
from urllib.parse import urlsplit

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import partners  # noqa: E402, F401  whatever the benches import is there
import pull  # noqa: E402, F401
import relay  # noqa: E402, F401
from sinks import Sink, server  # noqa: E402


def test_a_sink_is_told_by_its_port():
    for version in ("2.1.1", "2.2.1", "2.3.0"):
        for role in ("EMSP", "CPO"):
            sink = Sink("SE", "SNK", "Sink", version=version, role=role)
            try:
                assert sink.port == urlsplit(sink.base).port
                assert f"listen 127.0.0.1:{sink.port} " in server(sink) and f"/{version}/commands" in server(sink)
            finally:
                sink.close()
