"""`rawgate lab --svg`: a picture of the same run, which any viewer can show."""

import pathlib
import re
import shutil
import tempfile
import unittest
import xml.etree.ElementTree

from tests.harness import lab

stack = None
SVG = "{http://www.w3.org/2000/svg}"


def setUpModule():
    global stack
    stack = lab.start_stack()
    unittest.addModuleCleanup(stack.stop)


class SvgTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rawgate-test-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def draw(self, lesson, language):
        """(texts of the picture, the run)"""
        path = self.folder / f"{lesson}-{language}.svg"
        _, run = lab.run_json(stack, lesson, "--lang", language, "--svg", path)
        root = xml.etree.ElementTree.parse(path).getroot()
        self.assertEqual(root.get("viewBox"), "0 0 1600 900")
        # Nothing from elsewhere: slides have no network.
        self.assertNotRegex(path.read_text().replace("http://www.w3.org/2000/svg", ""), r"https?://|@import|<image")
        for element in root.iter():
            for name in ("x", "x1", "x2"):
                self.assertTrue(0 <= float(element.get(name, 0)) <= 1600, element.attrib)
            for name in ("y", "y1", "y2"):
                self.assertTrue(0 <= float(element.get(name, 0)) <= 900, element.attrib)
        return ["".join(text.itertext()) for text in root.iter(SVG + "text")], run

    def test_every_lesson_in_both_languages(self):
        for lesson in lab.LESSONS:
            for language in ("en", "zh"):
                with self.subTest(lesson=lesson, language=language):
                    texts, run = self.draw(lesson, language)
                    self.assertGreater(len(texts), 4 if run["scenes"][0]["steps"] else 6)

    def test_the_numbers_are_those_of_the_recording(self):
        texts, run = self.draw("half-close", "en")
        for scene in run["scenes"]:
            for step in scene["steps"]:
                self.assertIn("%.3f" % (float(step["at"].rstrip("s")) * 1000), texts)
                if step["kind"] == "call" and "bytes" in step:
                    self.assertTrue(any(re.match(rf"{step['what']} {step['bytes']}\b", text) for text in texts), step)

    def test_it_can_be_rendered(self):
        for language in ("en", "zh"):
            self.draw("coalescing", language)
            png = lab.picture_of(self.folder / f"coalescing-{language}.svg", self.folder / "picture.png")
            if png is None:
                self.skipTest("no rsvg-convert: script/bootstrap test installs it")
            self.assertTrue(png.startswith(b"\x89PNG"))

    def test_a_file_that_cannot_be_written_is_an_error(self):
        done = lab.run(stack, "half-close", "--svg", self.folder / "missing" / "x.svg")
        self.assertEqual(done.returncode, 1)
        self.assertIn("missing", done.stderr)


if __name__ == "__main__":
    unittest.main()
