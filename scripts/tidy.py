#!/usr/bin/env python3
"""What STYLE.md asks and a script can see, beyond formatting and include direction.

    scripts/tidy.py [ROOT]     exit 1 and one line per offence
"""
import pathlib
import re
import sys

SOURCE_FOLDERS = ["wire", "core", "io", "order", "sim", "agent"]
OTHER_FOLDERS = ["tests", "bench", "examples"]
TEXT_SUFFIXES = {".h", ".cc", ".def", ".py", ".md", ".build", ".txt", ".json", ".go", ".sh", ".yml", ""}
TAB_SUFFIXES = {".go"}
SHARD_LINES_MAX = 400

# What | pattern in code (comments and literals removed) | folders where it is banned | paths excepted, with the reason.
BANNED = [
    ("a clock", r"\b(steady_clock|system_clock|high_resolution_clock|clock_gettime|gettimeofday)\b",
     ["wire", "core", "sim", "order"], {}),
    ("a thread", r"\bstd::j?thread\b|\bpthread_create\b", ["wire", "core", "sim"], {}),
    ("a lock", r"\bstd::(recursive_|shared_|timed_)?mutex\b|\bstd::(lock_guard|unique_lock|scoped_lock|condition_variable)\b",
     ["wire", "core", "sim"], {}),
    ("an exception", r"\b(throw|try|catch)\b", ["wire", "core", "io", "sim"], {}),
    ("unseeded randomness", r"\b(s?rand|random)\s*\(|\brandom_device\b", ["wire", "core", "sim"], {}),
    ("console output", r"\b(v?f?printf|puts|fputs|perror)\s*\(|\bstd::(cout|cerr|clog)\b", ["wire", "core", "io", "sim"],
     {"wire/base/check.cc": "says its last words before it stops the program",
      "sim/main.cc": "a program, whose output this is"}),
    ("an allocation by hand", r"(?<!operator )\bnew\s+[A-Za-z_:]|\b(malloc|calloc|realloc)\s*\(", ["wire", "core"], {}),
    ("a DPDK name", r"\brte_\w+", ["wire", "core", "io", "order", "sim", "agent", "tests", "bench"],
     {"io/dpdk/": "the one place that knows DPDK", "tests/io/dpdk/": "its tests", "bench/": "compares with it"}),
]

# Sources without a test at the mirrored path, and why that is right.
UNTESTED = {
    "sim/main.cc": "prints what the campaign and the probes return; the smoke campaign runs the program",
    "agent/cli/main.cc": "one call; the interop suite runs the program",
}


def code_only(text):
    """The text with comments and literals blanked, line numbers kept."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def sources(root, folders, suffixes):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path.relative_to(root).as_posix(), path


def banned_words(root):
    for name, path in sources(root, SOURCE_FOLDERS + OTHER_FOLDERS, {".h", ".cc", ".def"}):
        code = None
        for what, pattern, folders, excepted in BANNED:
            if name.split("/")[0] not in folders or any(name.startswith(prefix) for prefix in excepted):
                continue
            code = code if code is not None else code_only(path.read_text(errors="replace"))
            for match in re.finditer(pattern, code):
                line = code.count("\n", 0, match.start()) + 1
                yield f"{name}:{line}: {match[0].strip()!r} is {what}, which {name.split('/')[0]}/ does not use"


def tests_beside_sources(root):
    for name, path in sources(root, SOURCE_FOLDERS, {".cc"}):
        test = root / "tests" / (name[:-len(".cc")] + "_test.cc")
        if name in UNTESTED:
            if test.exists():
                yield f"{name}: has a test now; take it off the UNTESTED list"
        elif not test.exists():
            yield f"{name}: no test at tests/{name[:-len('.cc')]}_test.cc"


def built_sources(root):
    """Each .cc must be named by a meson.build of its folder or of one above it."""
    for name, path in sources(root, SOURCE_FOLDERS + OTHER_FOLDERS, {".cc"}):
        named = False
        folder = path.parent
        while not named:
            build_file = folder / "meson.build"
            if build_file.exists():
                text = build_file.read_text()
                inside = path.relative_to(folder).as_posix()
                # A loop over bare names: ['a', 'b'] with name + '_test.cc' or '@0@_test.cc'.
                stem = inside[:-len(".cc")]
                endings = [ending for ending in ("_test", "_fuzz", "_bench", "") if stem.endswith(ending)]
                named = f"'{inside}'" in text or any(
                    re.search(r"'" + re.escape(stem[:len(stem) - len(ending)]) + r"'", text)
                    and re.search(r"(@0@|'){}\.cc'".format(ending), text) for ending in endings)
            if folder == root:
                break
            folder = folder.parent
        if not named:
            yield f"{name}: no meson.build names it"


def walk(root):
    """Every text file of the tree, leaving out what git ignores."""
    for path in sorted(root.iterdir()):
        if path.name.startswith((".git", "build", ".cache", "__pycache__")) and path.name != ".gitignore":
            continue
        if path.is_file():
            yield path
        elif path.is_dir() and path.name != "shared":
            yield from (found for found in sorted(path.rglob("*"))
                        if found.is_file() and "__pycache__" not in found.parts and "bin" not in found.parts)


def clean_text(root):
    for path in walk(root):
        if path.suffix not in TEXT_SUFFIXES:
            continue
        name = path.relative_to(root).as_posix()
        data = path.read_bytes()
        allowed = {9, 10} if path.suffix in TAB_SUFFIXES else {10}
        for number, line in enumerate(data.split(b"\n"), 1):
            for byte in line:
                if (byte < 32 and byte not in allowed) or byte == 127:
                    yield f"{name}:{number}: control character 0x{byte:02x}"
                    break


def one_title(root):
    for path in walk(root):
        if path.suffix != ".md":
            continue
        titles, fenced = 0, False
        for line in path.read_text(errors="replace").splitlines():
            if line.startswith("```"):
                fenced = not fenced
            titles += not fenced and line.startswith("# ")
        if titles != 1:
            yield f"{path.relative_to(root).as_posix()}: {titles} level-1 titles, not one"


def short_shard(root):
    path = root / "core/shard/shard.cc"
    if path.exists():
        lines = len(path.read_text(errors="replace").splitlines())
        if lines > SHARD_LINES_MAX:
            yield f"core/shard/shard.cc: {lines} lines; composition stays under {SHARD_LINES_MAX}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1]).resolve()
    bad = 0
    for rule in (banned_words, tests_beside_sources, built_sources, clean_text, one_title, short_shard):
        for offence in rule(root):
            print(offence)
            bad += 1
    if bad:
        print(f"{bad} offences")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
