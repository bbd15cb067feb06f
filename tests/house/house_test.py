#!/usr/bin/env python3
"""The house checks themselves: a clean tree passes, and each kind of offence is caught in a tree made for it."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).parents[2] / "scripts"
CLEAN = {
    "README.md": "# title\n\n```\n# not a title\n```\n",
    "wire/meson.build": "files('word.cc')\n",
    "wire/word.h": "#pragma once\n#include <cstddef>\nstd::size_t words();\n",
    "wire/word.cc": '#include "wire/word.h"\nstd::size_t words() { return 1\'000; }  // a new throw in a comment\n'
                    'const char* text = "throw new std::thread";\n',
    "core/swim/rules.h": '#pragma once\n#include "wire/word.h"\n',
    "core/serf/tags.h": '#pragma once\n#include "core/swim/rules.h"\n',
    "tests/meson.build": "foreach name : ['wire/word']\n  test(name, executable(name + '_test.cc'))\nendforeach\n",
    "tests/wire/word_test.cc": '#include "wire/word.h"\n',
}


def run(script, files, *arguments):
    """Runs a check on a tree of these files; returns (exit status, output)."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder) / "tree"
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (root / ".clang-format").write_text((SCRIPTS.parent / ".clang-format").read_text())
        arguments = [argument.replace("ROOT", str(root)) for argument in arguments]
        done = subprocess.run([SCRIPTS / script, *arguments], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


class Floors(unittest.TestCase):
    def check(self, changes, expected):
        status, output = run("floors.py", CLEAN | changes, "ROOT")
        self.assertEqual(status, 1 if expected else 0, output)
        self.assertIn(expected, output)

    def test_clean(self):
        self.check({}, "")

    def test_upward(self):
        self.check({"wire/word.h": '#include "core/swim/rules.h"\n'}, "wire/word.h:1: wire must not include core/swim")
        self.check({"core/base/time.h": '#include "core/engine/lane.h"\n'}, "stands above")
        self.check({"io/port.h": '  #  include "order/causal.h"\n'}, "stands above")

    def test_sideways(self):
        self.check({"core/swim/rules.h": '#include "core/serf/tags.h"\n'}, "neighbour")
        self.check({"sim/world.h": '#include "order/causal.h"\n'}, "neighbour")

    def test_tests_are_above_everything(self):
        self.check({"agent/agent.h": '#include "tests/support/pair.h"\n'}, "stands above")
        self.check({"tests/wire/word_test.cc": '#include "agent/agent.h"\n'}, "")

    def test_paths_start_at_the_root(self):
        self.check({"wire/other.h": '#include "word.h"\n'}, "not a path from the root")
        self.check({"wire/other.h": '#include "core/unknown/word.h"\n'}, "stands above")
        self.check({"core/swim/rules.h": '#include "order2/word.h"\n'}, "not a path from the root")


class Tidy(unittest.TestCase):
    def check(self, changes, expected):
        files = {name: text for name, text in (CLEAN | changes).items() if text is not None}
        status, output = run("tidy.py", files, "ROOT")
        self.assertEqual(status, 1 if expected else 0, output)
        self.assertIn(expected, output)

    def test_clean(self):
        self.check({}, "")

    def test_banned_words(self):
        for folder, line, expected in [
            ("core/swim", "auto now = std::chrono::steady_clock::now();", "a clock"),
            ("sim", "std::thread thread;", "a thread"),
            ("core/shard", "std::mutex mutex;", "a lock"),
            ("io", 'void f() { throw 1; }', "an exception"),
            ("core/base", "int x = rand();", "randomness"),
            ("wire", 'int f() { return printf("x"); }', "console output"),
            ("wire", "int* p = new int;", "an allocation"),
            ("core/base", "void* p = malloc(1);", "an allocation"),
            ("agent", "rte_mbuf* packet;", "a DPDK name"),
        ]:
            with self.subTest(line=line, folder=folder):
                self.check({f"{folder}/bad.h": f"// one\n{line}\n"}, f"{folder}/bad.h:2:")
                self.check({f"{folder}/bad.h": f"// one\n{line}\n"}, expected)

    def test_where_the_words_belong(self):
        self.check({"io/dpdk/eal.h": "rte_mbuf* packet;\n", "io/thread/pin.h": "std::thread thread;\n",
                    "agent/agent.h": "void f() { throw 1; }\n",
                    "core/base/arena.h": "void f(void* p) { ::new (p) int; }\nvoid* operator new(unsigned long);\n"}, "")

    def test_a_source_needs_a_test(self):
        self.check({"tests/wire/word_test.cc": None}, "wire/word.cc: no test at tests/wire/word_test.cc")

    def test_a_source_needs_a_build_file(self):
        self.check({"wire/meson.build": "files('sword.cc')\n"}, "wire/word.cc: no meson.build names it")
        self.check({"tests/meson.build": ""}, "tests/wire/word_test.cc: no meson.build names it")

    def test_control_characters(self):
        self.check({"wire/word.h": "#pragma once\n\tint x;\n"}, "wire/word.h:2: control character 0x09")
        self.check({"README.md": "# title\x07\n"}, "control character 0x07")

    def test_one_title(self):
        self.check({"README.md": "# one\n# two\n"}, "README.md: 2 level-1 titles")
        self.check({"core/NOTES.md": "## none\n"}, "core/NOTES.md: 0 level-1 titles")

    def test_short_shard(self):
        files = {"core/shard/shard.cc": "\n" * 401, "core/meson.build": "files('shard/shard.cc')\n",
                 "tests/core/shard/shard_test.cc": "", "tests/core/meson.build": "files('shard/shard_test.cc')\n"}
        self.check(files, "401 lines")
        self.check(files | {"core/shard/shard.cc": "\n" * 400}, "")


class Headers(unittest.TestCase):
    def test_clean_then_cached_then_broken(self):
        with tempfile.TemporaryDirectory() as cache:
            def check(files, *arguments):
                return run("check_headers.py", files, "--root", "ROOT", "--cache", cache, *arguments)
            end = "do not compile alone\n"
            self.assertEqual(check(CLEAN), (0, f"3 headers, 1 proved by the build, 0 known from before, 0 {end}"))
            self.assertEqual(check(CLEAN), (0, f"3 headers, 1 proved by the build, 2 known from before, 0 {end}"))
            self.assertEqual(check(CLEAN, "--all"), (0, f"3 headers, 0 proved by the build, 2 known from before, 0 {end}"))
            # Only the lowest header changes, and all that include it are compiled again.
            broken = CLEAN | {"wire/word.h": "#pragma once\nstd::size_t words();\n"}
            status, output = check(broken, "--all")
            self.assertEqual(status, 1)
            for name in ("wire/word.h", "core/swim/rules.h", "core/serf/tags.h"):
                self.assertIn(f"{name} does not compile alone", output)
            # What comes before the header may hide that it lacks something.
            broken |= {"wire/word.cc": '#include <cstddef>\n#include "wire/word.h"\n',
                       "tests/wire/word_test.cc": '#include <cstddef>\n#include "wire/word.h"\n'}
            self.assertIn("wire/word.h does not compile alone", check(broken)[1])

    def test_a_header_without_guard(self):
        with tempfile.TemporaryDirectory() as cache:
            status, output = run("check_headers.py", {"wire/word.h": "struct Word {};\n"}, "--root", "ROOT", "--cache", cache)
            self.assertEqual(status, 1)
            self.assertIn("redefinition", output)


class Format(unittest.TestCase):
    def test_good_and_bad(self):
        good = {"wire/word.h": "#pragma once\n\nstruct Word {};\n"}
        status, output = run("format", good, "--check", "--root", "ROOT")
        if status == 77:
            self.skipTest("no clang-format")
        self.assertEqual(status, 0, output)
        status, output = run("format", {"wire/word.h": "struct   Word{ };\n"}, "--check", "--root", "ROOT")
        self.assertNotEqual(status, 0)
        self.assertIn("word.h", output)


class CountTests(unittest.TestCase):
    def check(self, records, expected):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
            log.write("".join(json.dumps({"name": "x"} | record) + "\n" for record in records))
            log.flush()
            done = subprocess.run([SCRIPTS / "count_tests.py", log.name], capture_output=True, text=True)
            self.assertEqual(done.stdout.strip(), expected)

    def test_counts(self):
        googletest = "[  PASSED  ] 12 tests.\n[  SKIPPED ] 2 tests, listed below:\n"
        self.check([], "0 1 0")
        self.check([{"result": "OK", "stdout": "fine"}], "1 0 0")
        self.check([{"result": "OK", "stdout": googletest}], "12 0 2")
        self.check([{"result": "FAIL", "stdout": "[  PASSED  ] 3 tests.\n[  FAILED  ] 2 tests, listed below:\n"}], "3 2 0")
        self.check([{"result": "FAIL", "stdout": googletest}], "12 1 2")
        self.check([{"result": "TIMEOUT"}, {"result": "SKIP"}], "0 1 1")
        self.check([{"result": "OK", "stdout": "", "stderr": "Ran 16 tests in 2s\n\nOK\n"}], "16 0 0")


if __name__ == "__main__":
    unittest.main(verbosity=1)
