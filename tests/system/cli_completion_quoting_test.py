"""What bash is told to put into a line is one word, whatever the far side calls its files, and nothing in it is run."""

import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests.harness.command_line import CommandLine

NAMES = ["q$(touch run)", "q`touch run`", "q'$(touch run)'", "q\"$(touch run)\"", "q;touch run;", "q & touch run",
         "q'; touch run; '", "q\"; touch run; \"", "q\\", "q\\'$(touch run)", "q\\\"$(touch run)", "q!!", "q with blanks",
         "q$HOME", "q{a,b}", "q*", "q~", "q#", "q&q", "q\u00e4"]

# Prints what each reply makes of the word that has been begun with $1.
BASH = r"""
begun=$1
source "$2"
COMP_WORDS=(rawgate stat "${begun}q") COMP_CWORD=2 COMP_LINE="rawgate stat ${begun}q" COMP_TYPE=9
COMP_POINT=${#COMP_LINE}
_rawgate "$3" "${begun}q"
for reply in "${COMPREPLY[@]}"; do
  eval "set -- $begun$reply${begun: -1}"
  printf '%s\n' "$#:$1"
done
"""


class QuotingTest(unittest.TestCase):

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.script = self.folder / "completion.bash"
        self.script.write_text(CommandLine().out("completion", "bash"))
        # In place of the program, as it answers 'complete'.
        self.program = self.folder / "program"
        answers = " ".join(shlex.quote(name) for name in NAMES)
        self.program.write_text(f"#!/bin/sh\nprintf '%s\\tof the far side\\n' {answers}\n")
        self.program.chmod(0o755)

    def replies(self, begun):
        done = subprocess.run(["bash", "--norc", "-c", BASH, "bash", begun, self.script, self.program], cwd=self.folder,
                              env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere", "LC_ALL": "C.UTF-8"}, capture_output=True,
                              text=True, timeout=60, check=True)
        self.assertEqual(done.stderr, "")
        self.assertFalse((self.folder / "run").exists(), "a name was run")
        return done.stdout.splitlines()

    def test_without_quotes(self):
        self.assertEqual(self.replies(""), [f"1:{name}" for name in NAMES])

    def test_in_single_quotes(self):
        self.assertEqual(self.replies("'"), [f"1:{name}" for name in NAMES])

    def test_in_double_quotes(self):
        # For history there is no escape.
        self.assertEqual(self.replies('"'), [f"1:{name}" for name in NAMES if "!" not in name])

    def test_in_quotes_with_escapes_there_is_nothing(self):
        self.assertEqual(self.replies("$'"), [])


if __name__ == "__main__":
    unittest.main()
