#!/usr/bin/env python3
"""What `meson install` puts where: the program, a manual page for each of its commands, completion for three shells.

Installs what is built into a folder of its own: the program, what its build made besides, nothing else is built for it.
"""
import os
import pathlib
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = None


def commands_of(program):
    """The names of the commands, as the help lists them."""
    shown = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=60).stderr
    return sorted(line.split()[0] for line in shown.splitlines() if line.startswith("    ") and line.strip())


def typed(shell, setup, keys, wanted, seconds=30):
    """What an interactive shell shows after `setup` and then `keys`; until `wanted` is there."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="dumb", PS1="$ ", HOME="/nonexistent")
        os.execvp(shell[0], shell)
    shown = b""

    def read_until(text):
        nonlocal shown
        end = time.monotonic() + seconds
        while text not in shown and time.monotonic() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    shown += os.read(terminal, 4096)
                except OSError:  # the shell has ended
                    break
    try:
        os.write(terminal, f"{setup}; echo re''ady\r".encode())
        read_until(b"ready")
        shown = b""
        os.write(terminal, keys.encode())
        read_until(wanted.encode())
    finally:
        os.close(terminal)
        os.kill(child, 9)
        os.waitpid(child, 0)
    return shown.decode(errors="replace")


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        done = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.root],
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        cls.files = {path.relative_to(cls.root).as_posix(): path for path in cls.root.rglob("*") if path.is_file()}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def one(self, ending):
        found = [path for name, path in self.files.items() if name.endswith(ending)]
        self.assertEqual(len(found), 1, f"{ending} in {sorted(self.files)}")
        return found[0]

    def test_the_program_runs_from_there(self):
        done = subprocess.run([self.one("bin/starling"), "version"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Agent Protocol", done.stdout)

    def test_each_command_has_its_page(self):
        commands = commands_of(self.one("bin/starling"))
        self.assertGreater(len(commands), 20)
        pages = sorted(pathlib.Path(name).name for name in self.files if "/man/man1/" in name)
        self.assertEqual(pages, sorted(["starling.1", *(f"starling-{name}.1" for name in commands)]))

    def test_pages_can_be_read(self):
        if not shutil.which("man"):
            self.skipTest("there is no man")
        for name, path in self.files.items():
            if "/man/man1/" not in name:
                continue
            done = subprocess.run(["man", "--warnings", "-l", path], capture_output=True, text=True, timeout=60,
                                  env={"MANWIDTH": "80", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "MANPAGER": "cat"})
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            self.assertIn("starling", done.stdout)

    def test_completion_is_where_shells_look(self):
        for shell, ending in (("bash", "bash-completion/completions/starling"), ("zsh", "zsh/site-functions/_starling"),
                              ("fish", "fish/vendor_completions.d/starling.fish")):
            path = self.one(ending)
            if shutil.which(shell):
                done = subprocess.run([shell, "-n", path], capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (0, ""), shell)

    def test_zsh_completes(self):
        if not shutil.which("zsh"):
            self.skipTest("there is no zsh")
        folder = self.one("zsh/site-functions/_starling").parent
        setup = f"fpath=({folder} $fpath); autoload -U compinit; compinit -D -u"
        for keys, wanted in (("starling memb\t", "members"), ("starling members -wat\t", "-watch"),
                             ("starling members -format=j\t", "json")):
            self.assertIn(wanted, typed(["zsh", "-f", "-i"], setup, keys, wanted))

    def test_fish_completes(self):
        if not shutil.which("fish"):
            self.skipTest("there is no fish")
        for words, wanted in (("starling memb", ["members"]), ("starling members -wat", ["-watch"])):
            done = subprocess.run(["fish", "--no-config", "-c",
                                   f"source {self.one('starling.fish')}; complete -C '{words}'"], capture_output=True,
                                  text=True, timeout=60, env=os.environ | {"HOME": self.folder.name})
            self.assertEqual(([line.split("\t")[0] for line in done.stdout.splitlines()], done.stderr), (wanted, ""))

    def test_nothing_else_is_installed(self):
        places = ("/bin/", "/man/man1/", "/completions/", "/site-functions/", "/vendor_completions.d/", "/starling/")
        self.assertEqual([name for name in self.files if not any(place in f"/{name}" for place in places)], [])


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main(verbosity=1)
