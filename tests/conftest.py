# SPDX-License-Identifier: Apache-2.0
"""
All Python tests: structure/ and money/ need nothing, db/ the stores, sim/ the simulator, e2e/ the
whole world. The quick ones come first.
"""

import pathlib
import signal

ORDER = ("structure", "openapi", "money", "db", "sim", "e2e")


def pytest_configure():
    # ./dev ends its children with SIGTERM: fixtures shall tidy up then as they do after Ctrl-C.
    def interrupted(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)


def pytest_collection_modifyitems(items):
    root = pathlib.Path(__file__).parent

    def place(item):
        folder = pathlib.Path(item.fspath).relative_to(root).parts[0]
        return ORDER.index(folder) if folder in ORDER else len(ORDER)

    items.sort(key=place)
