#!/usr/bin/env python3
"""Every header compiles alone: whoever includes one needs nothing else before it.

    scripts/check_headers.py --cache FOLDER [--root ROOT] [--jobs N] [--skip PREFIX]... [--all]

A header passes if a file holding only its #include compiles with the project's warnings as errors. One that its own .cc or
_test.cc includes before anything else is proved by the build, and is compiled here only with --all. What passed is
remembered in the cache by the content of the header and of every project header it includes, so that a repeated run costs
nothing. Headers of the DPDK port are left out where DPDK is not installed.
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
FLAGS = ["-std=c++23", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-fsyntax-only",
         # What the build defines for some targets.
         '-DSTARLING_VERSION="0"', '-DSTARLING_SOURCE_DIR="/"']
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


def proved_by_build(root, header):
    """Whether the header's own source or test includes it first."""
    stem = header[:-len(".h")]
    for source in (root / f"{stem}.cc", root / "tests" / f"{stem}_test.cc"):
        if source.is_file():
            first = re.search(r"^\s*#\s*include\s+(\S+)", source.read_text(errors="replace"), re.M)
            if first and first[1] == f'"{header}"':
                return True
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=str(pathlib.Path(__file__).parents[1]))
    parser.add_argument("--cache", required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--skip", action="append", default=[], help="leave out headers whose path starts so")
    parser.add_argument("--all", action="store_true", help="also those that the build proves")
    options = parser.parse_args()
    root = pathlib.Path(options.root).resolve()
    cache = pathlib.Path(options.cache)
    cache.mkdir(parents=True, exist_ok=True)
    compiler = os.environ.get("HEADERS_CXX", "g++")
    if subprocess.run(["pkg-config", "--exists", "libdpdk"], capture_output=True, check=False).returncode != 0:
        options.skip.append("io/dpdk/")
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout

    texts = {}
    headers = sorted(path.relative_to(root).as_posix() for folder in FOLDERS for path in (root / folder).rglob("*.h"))
    headers = [name for name in headers if not any(name.startswith(prefix) for prefix in options.skip)]
    everything = len(headers)
    if not options.all:
        headers = [name for name in headers if not proved_by_build(root, name)]

    def check(name):
        key = hashlib.sha256((version + " ".join(FLAGS)).encode())
        for part in closure(root, name, texts):
            key.update(part.encode() + b"\0" + texts[part].encode() + b"\0")
        passed = cache / key.hexdigest()
        if passed.exists():
            return name, None, True
        source = f'#include "{name}"\n#include "{name}"  // twice: needs its guard\n'
        run = subprocess.run([compiler, *FLAGS, f"-I{root}", "-xc++", "-"], input=source, capture_output=True,
                             text=True, cwd=root)
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
    print(f"{everything} headers, {everything - len(headers)} proved by the build, {cached} known from before, "
          f"{failed} do not compile alone")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
