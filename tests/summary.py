#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Adds up JUnit files: summary.py UNEXPECTED FILE... prints "N passed, N failed[, N skipped]".

UNEXPECTED 1 says that a runner itself failed: if no file accounts for that, it counts as a failure.
Exit status 0 only if nothing failed and something ran.
"""

import sys
import xml.etree.ElementTree as ElementTree


def count(path):
    passed = failed = skipped = 0
    try:
        cases = list(ElementTree.parse(path).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return 0, 1, 0
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main():
    unexpected, files = sys.argv[1] != "0", sys.argv[2:]
    passed = failed = skipped = 0
    for path in files:
        if path.endswith("*.xml"):  # the shell found none
            continue
        p, f, s = count(path)
        passed, failed, skipped = passed + p, failed + f, skipped + s
    if unexpected and not failed:
        failed = 1
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    if not passed and not failed:
        print("no test ran", file=sys.stderr)
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
