#!/usr/bin/env python3
"""Every include points down.

A file belongs to the floor whose folder is the longest prefix of its path. It may include its own floor and every floor
listed above it here; never a floor below it in this list, nor a neighbour on the same line unless the pair is allowed.

    scripts/floors.py [ROOT]     exit 1 and one line per offending include
"""
import pathlib
import re
import sys

# Bottom first. Folders on one line are neighbours.
FLOORS = [
    "wire/base",
    "wire",
    "core/base",
    "core/swim core/digest core/stream core/serf",
    "core/shard",
    "core core/engine",
    "io",
    "io/sockets io/uring io/dpdk io/memory io/faulty",
    "io/thread",
    "order sim",
    "agent",
    "agent/cli",
    "tests bench examples",
]
RANK = {folder: rank for rank, row in enumerate(FLOORS) for folder in row.split()}
NEIGHBOURS_ALLOWED = {
    ("core/serf", "core/swim"),
    ("core/stream", "core/digest"),
    ("core/engine", "core"),
    ("core", "core/engine"),
}
# A file that picks among what stands above it, and why that is right.
MAY_LOOK_UP = {
    ("io/open.cc", "io/sockets"): "decides which ports to open",
    ("io/open.cc", "io/uring"): "decides which ports to open",
    ("io/open.cc", "io/dpdk"): "decides which ports to open",
    ("io/open.cc", "io/memory"): "the same",
}
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')


def floor_of(path):
    """The folder in FLOORS that holds this path, or None."""
    return max((folder for folder in RANK if path.startswith(folder + "/")), key=len, default=None)


def violations(root):
    """Yields (file, line, message) for each include that points up or sideways."""
    for folder in sorted({name.split("/")[0] for name in RANK}):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in {".h", ".cc", ".def"}:
                continue
            name = file.relative_to(root).as_posix()
            here = floor_of(name)
            for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                target = match[1]
                there = floor_of(target)
                if there is None:
                    if "/" in target and target.split("/")[0] in {f.split("/")[0] for f in RANK}:
                        yield name, number, f"{target} is on no floor; add its folder to FLOORS"
                    elif target.startswith("../") or not (root / target).is_file():
                        yield name, number, f'"{target}" is not a path from the root of the tree'
                    continue
                if (name, there) in MAY_LOOK_UP:
                    continue
                if RANK[there] > RANK[here]:
                    yield name, number, f"{here} must not include {target}: it stands above"
                elif (RANK[there] == RANK[here] and there != here
                      and (here, there) not in NEIGHBOURS_ALLOWED
                      and RANK[here] != len(FLOORS) - 1):
                    yield name, number, f"{here} must not include its neighbour {target}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    bad = 0
    for name, number, message in violations(root):
        print(f"{name}:{number}: {message}")
        bad += 1
    if bad:
        print(f"{bad} includes do not point down")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
