#!/usr/bin/env python3
"""Adds up a meson test run: prints "PASSED FAILED SKIPPED", and the ends of failed tests' outputs on standard error.

    scripts/count_tests.py BUILD/meson-logs/testlog.json

A GoogleTest program counts as its cases and a Python unittest as its methods; anything else counts as one.
"""
import json
import re
import sys


def count(test):
    """(passed, failed, skipped) of one record of meson's log."""
    result, output = test["result"], test.get("stdout", "") or ""
    if result == "SKIP":
        return 0, 0, 1
    good = result in ("OK", "EXPECTEDFAIL")
    numbers = {word: int(match[1]) if (match := re.search(pattern, output, re.M)) else 0 for word, pattern in {
        "passed": r"^\[  PASSED  \] (\d+) test",
        "skipped": r"^\[  SKIPPED \] (\d+) test",
        "failed": r"^\[  FAILED  \] (\d+) test",
    }.items()}
    if sum(numbers.values()) == 0:
        ran = re.search(r"^Ran (\d+) tests? in", output + (test.get("stderr", "") or ""), re.M)
        if good and ran:
            return int(ran[1]), 0, 0
        return (1, 0, 0) if good else (0, 1, 0)
    # A program may pass its cases and still fail, as when a sanitizer speaks at exit.
    failed = numbers["failed"] if good else max(1, numbers["failed"])
    return numbers["passed"], failed, numbers["skipped"]


def main():
    sums = [0, 0, 0]
    with open(sys.argv[1], encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            counts = count(test)
            sums = [total + one for total, one in zip(sums, counts)]
            if counts[1]:
                print(f"---- {test['name']}: {test['result']}", file=sys.stderr)
                text = (test.get("stdout") or "") + (test.get("stderr") or "")
                print("\n".join(text.splitlines()[-40:]), file=sys.stderr)
    if sum(sums) == 0:
        sums[1] = 1  # a run without a test proves nothing
    print(*sums)


if __name__ == "__main__":
    main()
