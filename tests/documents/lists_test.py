"""The lists of this folder are about what documents show today, and translations show the same commands."""

import os
import re
import unittest

from tests.documents import blocks, terminals
from tests.documents.not_run import BEFORE, NOT_RUN, RUN_ELSEWHERE
from tests.harness.program import REPOSITORY

TRANSLATED = ".zh-CN.md"


def translations():
    """Pairs of documents: what is translated, and into what."""
    for document in blocks.documents():
        if document.endswith(TRANSLATED):
            yield document.replace(TRANSLATED, ".md"), document


class ListsTest(unittest.TestCase):
    def setUp(self):
        self.steps = {document: blocks.steps_of(document) for document in blocks.documents()}

    def test_lists_name_what_documents_show(self):
        shown = {step.name for steps in self.steps.values() for step in steps}
        lists = {*NOT_RUN, *BEFORE, *terminals.STAY, *(name for pair in terminals.SCENES for name in pair)}
        self.assertEqual(lists - shown, set())

    def test_tests_that_are_named_exist(self):
        for command, reason in NOT_RUN.items():
            for path in re.findall(r"\b(?:tests|cli)/[\w/.]+\w", reason):
                with self.subTest(command=command):
                    self.assertTrue((REPOSITORY / path).exists(), path)

    def test_what_is_run_elsewhere_is(self):
        for document, tests in RUN_ELSEWHERE.items():
            self.assertNotIn(document, self.steps)
            self.assertTrue((REPOSITORY / document).exists(), document)
            for path in tests:
                with self.subTest(path=path):
                    self.assertIn("README.md", (REPOSITORY / path).read_text(encoding="utf-8"))

    def test_every_page_is_found_from_the_index(self):
        """Of a folder with an index of its own, that one."""
        index = REPOSITORY / "docs/README.md"
        linked = {index}
        for page in (index, *REPOSITORY.glob("docs/*/README.md"), *REPOSITORY.glob("docs/*/*/README.md")):
            targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
            linked |= {(page.parent / target).resolve() for target in targets if ":" not in target}
        pages = {page for page in REPOSITORY.glob("docs/**/*.md") if "adr" not in page.parts}
        self.assertEqual({page.relative_to(REPOSITORY).as_posix() for page in pages - linked}, set())

    def test_translations_have_the_same_blocks(self):
        pairs = list(translations())
        self.assertIn(("README.md", "README.zh-CN.md"), pairs)
        for original, document in pairs:
            with self.subTest(document=document):
                self.assertEqual(blocks.blocks_without_comments(document), blocks.blocks_without_comments(original))

    def test_every_document_is_a_test_of_ctest(self):
        """What CMake has found is what there is."""
        if "RAWGATE_TESTED_DOCUMENTS" not in os.environ:
            self.skipTest("not run by ctest")
        tested = os.environ["RAWGATE_TESTED_DOCUMENTS"].split(":")
        with_steps = [document for document, steps in self.steps.items() if steps]
        self.assertEqual(set(with_steps) - set(tested), set())

    def test_documents_have_no_other_shell(self):
        """Blocks that are run are marked `sh` or `python`; nobody marks one in another way and has it not run."""
        for document in self.steps:
            others = [(language, text) for language, text in blocks.blocks_of(document) if language not in blocks.RUN]
            with self.subTest(document=document):
                shells = [language for language, _ in others if re.match(r"bash|shell|console|zsh|sh\b|py", language)]
                transcripts = [text for _, text in others if re.search(r"^\$ ", text, re.MULTILINE)]
                self.assertEqual((shells, transcripts), ([], []))


if __name__ == "__main__":
    unittest.main()
