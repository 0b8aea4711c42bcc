"""Help and manual pages of `rawgate`: of every command, as long as they should be, and without a mistake of roff's."""

import pathlib
import re
import subprocess
import tempfile
import unittest

from tests.harness.command_line import CommandLine

COMMAND = re.compile(r"^  ([a-z][a-z-]*) +\S")
NO_COMMANDS = ("Examples:", "Options:", "Arguments:")

rawgate = CommandLine()


def commands_of(*path):
    """Those that the help lists, with all below them."""
    found, heading = [], ""
    for line in rawgate.out("help", *path).splitlines():
        heading = line if line.endswith(":") and not line.startswith(" ") else heading
        match = COMMAND.match(line)
        if match and heading not in NO_COMMANDS and line.startswith("  " + match.group(1)):
            found.append((*path, match.group(1)))
    return [each for command in found for each in (command, *below(command))]


def below(command):
    has_commands = re.search(r"^Usage: .* \[?COMMAND\]?$", rawgate.out("help", *command), re.MULTILINE)
    return commands_of(*command) if has_commands else []


class HelpTest(unittest.TestCase):
    def test_examples_come_before_options_and_lines_are_short(self):
        commands = commands_of()
        self.assertGreater(len(commands), 30)
        for command in commands:
            with self.subTest(command=command):
                help_text = rawgate.out(*command, "--help")
                self.assertEqual(help_text, rawgate.out("help", *command))
                self.assertIn(f"Usage: rawgate {' '.join(command)}", help_text)
                if "\nOptions:\n" in help_text:
                    self.assertLess(help_text.index("\nExamples:\n"), help_text.index("\nOptions:\n"))
                self.assertEqual([line for line in help_text.splitlines() if len(line) >= 80], [])
                self.assertNotIn("\n\n\n", help_text)

    def test_without_words_help_is_short(self):
        out, error = rawgate.run(code=2)
        self.assertEqual(out, "")
        self.assertIn("rawgate help COMMAND", error)
        self.assertLess(len(error.splitlines()), 16)


class ManualTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        rawgate.run("man", "--output", cls.folder, SOURCE_DATE_EPOCH="1700000000")

    def test_every_command_has_a_page(self):
        names = {path.name for path in self.folder.iterdir()}
        expected = {"rawgate.1"} | {f"rawgate-{'-'.join(command)}.1" for command in commands_of()}
        self.assertEqual(names, expected)

    def test_sections(self):
        for path in self.folder.iterdir():
            sections = re.findall(r"^\.SH (.+)$", path.read_text(), re.MULTILINE)
            for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"):
                self.assertIn(section, sections, path.name)

    def test_date_is_the_one_of_the_build(self):
        self.assertIn('"2023-11-14"', (self.folder / "rawgate.1").read_text())

    def test_mandoc_finds_nothing(self):
        pages = sorted(map(str, self.folder.iterdir()))
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], capture_output=True, text=True)
        self.assertEqual(lint.stdout + lint.stderr, "")
        self.assertEqual(lint.returncode, 0)

    def test_as_people_read_it(self):
        page = subprocess.run(["mandoc", "-T", "ascii", self.folder / "rawgate-put.1"], capture_output=True, text=True,
                              check=True)
        text = re.sub(".\b", "", page.stdout)
        self.assertIn("rawgate put [OPTIONS] FILE ...", text)
        self.assertIn("rawgate put -r site --to www", text)
        self.assertIn("--if-absent", text)


if __name__ == "__main__":
    unittest.main()
