"""docs/lessons: every command in its pages does what the page says, and every page has its Chinese one."""

import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

from tests.harness import lab
from tests.harness.deadlines import PATIENCE
from tests.harness.program import REPOSITORY

PAGES = REPOSITORY / "docs/lessons"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)

stack = None


def setUpModule():
    global stack
    stack = lab.start_stack()
    unittest.addModuleCleanup(stack.stop)


def commands_of(page):
    return [line for block in BLOCK.findall(page.read_text()) for line in block.splitlines() if line]


class PagesTest(unittest.TestCase):
    def test_every_lesson_has_its_page_in_both_languages(self):
        for folder in (PAGES, PAGES / "zh"):
            names = {page.stem for page in folder.glob("*.md")}
            self.assertEqual(names, {"README", *lab.LESSONS})

    def test_pages_run_the_same_lessons(self):
        for lesson in lab.LESSONS:
            english = commands_of(PAGES / f"{lesson}.md")
            chinese = commands_of(PAGES / "zh" / f"{lesson}.md")
            self.assertEqual([f"{command} --lang zh" for command in english], chinese)

    def test_every_command_runs(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="rawgate-test-"))
        self.addCleanup(shutil.rmtree, folder)
        for page in sorted(PAGES.rglob("*.md")):
            for command in commands_of(page):
                with self.subTest(page=page.name, command=command):
                    self.run_command(command, folder)

    def run_command(self, command, folder):
        words = shlex.split(command)
        self.assertEqual(words[:2], ["rawgate", "lab"])
        done = subprocess.run([lab.command()[0], *words[1:]], cwd=folder, capture_output=True, text=True,
                              timeout=4 * PATIENCE, env=lab.environment(stack))
        self.assertIn(done.returncode, (0, lab.NOT_SHOWN), done.stderr)
        if "--svg" in words:
            self.assertTrue((folder / words[words.index("--svg") + 1]).exists())
        elif "--json" not in words and "--help" not in words and len(words) > 2:
            language = "zh" if "zh" in words else "en"
            for heading in lab.HEADINGS[language]:
                self.assertIn(heading, done.stdout)


if __name__ == "__main__":
    unittest.main()
