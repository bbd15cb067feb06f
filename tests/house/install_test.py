#!/usr/bin/env python3
"""What `meson install` puts where: the program, a manual page for each of its commands, completion for three shells.

Installs what is built into a folder of its own: the program, what its build made besides, nothing else is built for it.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = None


def commands_of(program):
    """The names of the commands, as the help lists them."""
    shown = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=60).stderr
    return sorted(line.split()[0] for line in shown.splitlines() if line.startswith("    ") and line.strip())


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

    def test_nothing_else_is_installed(self):
        places = ("/bin/", "/man/man1/", "/completions/", "/site-functions/", "/vendor_completions.d/", "/starling/")
        self.assertEqual([name for name in self.files if not any(place in f"/{name}" for place in places)], [])


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main(verbosity=1)
