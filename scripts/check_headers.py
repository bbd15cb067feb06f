#!/usr/bin/env python3
"""Every header compiles alone: whoever includes one needs nothing else before it.

    scripts/check_headers.py --cache FOLDER [--root ROOT] [--jobs N] [--skip PREFIX]...

A header passes if a file holding only its #include compiles with the project's warnings as errors. What passed is
remembered in the cache by the content of the header and of every project header, so that a repeated run costs nothing.
"""
import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys

FOLDERS = ["wire", "core", "io", "order", "sim", "agent", "tests", "bench"]
FLAGS = ["-std=c++23", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-fsyntax-only"]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def closure(root, header, texts):
    """The header and every project file it includes, directly or not."""
    found, todo = set(), [header]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        if name not in texts:
            path = root / name
            texts[name] = path.read_text(errors="replace") if path.is_file() else ""
        todo.extend(INCLUDE.findall(texts[name]))
    return sorted(found)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=str(pathlib.Path(__file__).parents[1]))
    parser.add_argument("--cache", required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--skip", action="append", default=[], help="leave out headers whose path starts so")
    options = parser.parse_args()
    root = pathlib.Path(options.root).resolve()
    cache = pathlib.Path(options.cache)
    cache.mkdir(parents=True, exist_ok=True)
    compiler = os.environ.get("HEADERS_CXX", "g++")
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout

    texts = {}
    headers = sorted(path.relative_to(root).as_posix() for folder in FOLDERS for path in (root / folder).rglob("*.h"))
    headers = [name for name in headers if not any(name.startswith(prefix) for prefix in options.skip)]

    def check(name):
        key = hashlib.sha256((version + " ".join(FLAGS)).encode())
        for part in closure(root, name, texts):
            key.update(part.encode() + b"\0" + texts[part].encode() + b"\0")
        passed = cache / key.hexdigest()
        if passed.exists():
            return name, None, True
        source = f'#include "{name}"\n#include "{name}"  // twice: needs its guard\n'
        run = subprocess.run([compiler, *FLAGS, f"-I{root}", "-xc++", "-"], input=source, capture_output=True, text=True)
        if run.returncode == 0:
            passed.touch()
            return name, None, False
        return name, run.stderr, False

    failed = cached = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, error, was_cached in pool.map(check, headers):
            cached += was_cached
            if error is not None:
                failed += 1
                print(f"{name} does not compile alone:\n" + "\n".join(error.splitlines()[:12]))
    print(f"{len(headers)} headers, {failed} do not compile alone, {cached} known from before")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
