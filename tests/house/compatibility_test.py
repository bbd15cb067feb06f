#!/usr/bin/env python3
"""docs/serf-compatibility.md says the truth, as far as programs can tell: about flags, keys, commands and the RPC.

  compatibility_test.py STARLING

STARLING is the program. Serf is asked, too, where it is installed (or named by SERF).
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
STARLING = ""
SERF = os.environ.get("SERF", shutil.which("serf") or "")
VERDICTS = {"same", "more", "differs", "none", "own"}
# Understood by Serf's agent, but not in its help.
SERF_HIDDEN_FLAGS = {"-replay", "-tags-file"}


def tables():
    """Title -> {name: (verdict, remark)}, of the names in code spans."""
    found, title = {}, ""
    for line in (ROOT / "docs/serf-compatibility.md").read_text().splitlines():
        if line.startswith("## "):
            title = line[3:]
        row = re.fullmatch(r"\| `([^`]+)` \| (\w+) \| ?(.*?) ?\|", line)
        if row:
            names = found.setdefault(title, {})
            assert row[1] not in names, f"{title}: {row[1]} twice"
            names[row[1]] = (row[2], row[3])
    return found


def text_of(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout + done.stderr


def flags_of(program):
    return set(re.findall(r"^  (-[a-z0-9-]+)", text_of(program, "agent", "-help"), re.MULTILINE))


def commands_of(program):
    return set(re.findall(r"^    ([a-z-]+) ", text_of(program, "-help"), re.MULTILINE))


class Compatibility(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.tables = tables()

    def compare(self, title, ours):
        """What starling has and what the table says it has."""
        claimed = {name for name, (verdict, _) in self.tables[title].items() if verdict != "none"}
        self.assertEqual(ours - claimed, set(), f"{title}: in the program, not in the table")
        self.assertEqual(claimed - ours, set(), f"{title}: in the table, not in the program")

    def compare_serf(self, title, theirs):
        """What Serf has stands in the table, and what it lacks is not said to be the same."""
        table = self.tables[title]
        self.assertEqual(theirs - set(table), set(), f"{title}: Serf has it, the table does not")
        for name, (verdict, _) in table.items():
            if name not in theirs | SERF_HIDDEN_FLAGS:
                self.assertEqual(verdict, "own", f"{title}: {name} is not Serf's")
            if name in theirs:
                self.assertNotEqual(verdict, "own", f"{title}: {name} is Serf's")

    def test_verdicts(self):
        for title, rows in self.tables.items():
            for name, (verdict, remark) in rows.items():
                self.assertIn(verdict, VERDICTS, f"{title}: {name}")
                if verdict in ("differs", "none"):
                    self.assertTrue(remark, f"{title}: {name} needs a reason")

    def test_flags(self):
        self.compare("Flags of the agent", flags_of(STARLING))

    def test_commands(self):
        self.compare("Commands", commands_of(STARLING))

    @unittest.skipUnless(SERF, "serf is not installed")
    def test_serfs_flags_and_commands(self):
        self.compare_serf("Flags of the agent", flags_of(SERF))
        self.compare_serf("Commands", commands_of(SERF))

    def test_keys(self):
        """A key with null for a value is known or not, and means nothing else."""
        rows = self.tables["Keys of configuration files"]
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "all.json"

            def unknown(keys):
                file.write_text(json.dumps(dict.fromkeys(keys)))
                return set(re.findall(r': "(\w+)" is not a key', text_of(STARLING, "config", "check", str(file))))
            self.assertEqual(unknown(rows), set(), "in the table, not in the program")
            self.assertEqual(unknown(["no_such_key"]), {"no_such_key"})
        source = (ROOT / "agent/config_file.cc").read_text()
        known = set(re.findall(r'^      \{"(\w+)", ', source, re.MULTILINE)) - {"interface", "disable_ipv4", "disable_ipv6"}
        self.assertEqual(known - set(rows), set(), "in the program, not in the table")

    @unittest.skipUnless(SERF, "serf is not installed")
    def test_serfs_keys(self):
        """Serf's decoder complains of keys that it does not know, before it starts anything."""
        rows = self.tables["Keys of configuration files"]
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "all.json"
            file.write_text(json.dumps(dict.fromkeys(rows)))
            # A faulty key makes sure that it ends here.
            file.write_text(json.dumps(dict.fromkeys([*rows, "no_such_key"])))
            said = text_of(SERF, "agent", f"-config-file={file}")
        listed = re.search(r"has invalid keys: (.*)", said)
        self.assertTrue(listed, said)
        unknown = set(listed[1].split(", ")) - {"no_such_key"}
        for name, (verdict, _) in rows.items():
            self.assertEqual(verdict == "own", name in unknown, f"{name} is {verdict}")

    def test_rpc(self):
        source = (ROOT / "agent/rpc_session.cc").read_text()
        table = re.search(r"CommandText, \d+> commands(.*?);", source, re.DOTALL)[1]
        self.compare("RPC", set(re.findall(r'\{"([a-z-]+)", (?:true|false)\}', table)))


if __name__ == "__main__":
    STARLING = sys.argv.pop(1)
    unittest.main()
