"""docs/lessons: a page for every lesson, and each in Chinese too. That its commands run is for tests/documents."""

import re
import unittest

from tests.harness import lab
from tests.harness.program import REPOSITORY

PAGES = REPOSITORY / "docs/lessons"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def commands_of(page):
    return [line for block in BLOCK.findall(page.read_text()) for line in block.splitlines() if line]


class PagesTest(unittest.TestCase):
    def test_every_lesson_has_its_page_in_both_languages(self):
        for folder in (PAGES, PAGES / "zh"):
            names = {page.stem for page in folder.glob("*.md")}
            self.assertEqual(names, {"README", *lab.LESSONS})

    def test_pages_run_their_lesson_and_its_parts(self):
        listed = [lesson["id"] for lesson in lab.listed()]
        for lesson in lab.LESSONS:
            parts = [each for each in listed if each == lesson or each.startswith(f"{lesson}-")]
            english = commands_of(PAGES / f"{lesson}.md")
            self.assertEqual(english, [f"rawgate lab {part}" for part in parts])
            self.assertEqual(commands_of(PAGES / "zh" / f"{lesson}.md"), [f"{command} --lang zh" for command in english])


if __name__ == "__main__":
    unittest.main()
