"""Every command that a document shows, run in their order as a reader would: in one shell, and one Python, in a folder like
the repository's, against six processes.

    /usr/bin/python3 -m tests.documents.commands docs/quick-start.md

A command must succeed, or end with the code that its comment says ("exit 1"). What stands behind `# -> ` in its lines, or in
lines of comment below it, is what it prints, and all of it; "..." there stands for anything, and a time for any other. What
cannot run here is in not_run.py, with the reason; what stays until somebody ends it in terminals.py."""

import os
import sys
import unittest

from tests.documents import terminals
from tests.documents.blocks import pattern_of, steps_of
from tests.documents.not_run import BEFORE, NOT_RUN
from tests.documents.place import Place


def runs_here(step):
    return step.name not in NOT_RUN


class DocumentTest(unittest.TestCase):
    document = None
    place = None

    def test_commands(self):
        steps = [step for step in steps_of(self.document) if runs_here(step)]
        if not steps:
            return  # there is nothing to run, and lists_test.py sees to it that each of the others has its reason
        self.place = Place()
        self.addCleanup(self.place.close)
        while steps:
            step, *rest = steps
            self.assertIsNone(self.place.shell.process.poll(), "nothing is left to run the other commands")
            with self.subTest(document=self.document, command=step.name):
                steps = steps[self.follow(step, rest[0] if rest else None):]
            if steps and steps[0] is step:
                steps = rest  # it has failed
            self.place.start_front()

    def follow(self, step, following):
        """Does what the document says, and returns for how many steps."""
        scene = following and terminals.SCENES.get((step.name, following.name))
        if scene:
            scene(self, step.text, following.text)
            return 2
        if step.name in BEFORE:
            code, output = self.place.run("sh", BEFORE[step.name])
            self.assertEqual(code, 0, output)
            self.place.start_front()
        if step.name in terminals.STAY:
            terminals.STAY[step.name](self, step.text)
        else:
            self.check(step)
        return 1

    def check(self, step):
        """Runs a command, and compares."""
        code, output = self.place.run(step.language, step.text)
        self.assertEqual(code, step.exit_code, output)
        if step.shown:
            self.assertRegex(output.rstrip("\n"), rf"\A{pattern_of(self.place.here(step.shown))}\Z")
        else:
            self.assertNotRegex(step.text, r"\bcurl (?!-s?o)", f"the document must show what it prints: {output}")


def load_tests(_loader, _tests, _pattern):
    """One case for each document that the environment names, which is what ctest and the command line do."""
    names = filter(None, os.environ.get("RAWGATE_DOCUMENTS", "").split(":"))
    return unittest.TestSuite(
        type(name, (DocumentTest,), {"document": name})("test_commands") for name in names)


if __name__ == "__main__":
    os.environ["RAWGATE_DOCUMENTS"] = ":".join(sys.argv[1:])
    unittest.main(module="tests.documents.commands", argv=sys.argv[:1], verbosity=2)
