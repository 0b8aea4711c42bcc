"""What is read out of a document: commands, what they are to print and how they end."""

import re
import tempfile
import unittest

from tests.documents import blocks
from tests.documents.blocks import Step

DOCUMENT = """# Title

```sh
# a comment of its own
printf 'a' |   # not yet whole
  cat          # -> a
cat <<'END'    # -> ...
  # kept
END
```

```text
rawgate ps
```

```python
print(1)  # -> 1
```
"""


class BlocksTest(unittest.TestCase):
    def test_steps(self):
        with tempfile.NamedTemporaryFile("w", suffix=".md") as file:
            file.write(DOCUMENT)
            file.flush()
            steps = blocks.steps_of(file.name)
            self.assertEqual(len(blocks.blocks_of(file.name)), 3)
        self.assertEqual([(step.language, step.name, step.shown) for step in steps],
                         [("sh", "printf 'a' |", "a"), ("sh", "cat <<'END'", "..."), ("python", "print(1)", "1")])

    def test_exit_codes(self):
        for text, code in (
            ("false # exit 1", 1),
            ("false # it fails: exit 12 -> why", 12),
            ("false # 退出码：exit 3 -> 原因", 3),
            ("sh -c 'exit 3' # -> nothing", 0),
            ("true # until `exit` or Ctrl-D", 0),
            ("true # preexit 3", 0),
        ):
            with self.subTest(text=text):
                self.assertEqual(Step("sh", text).exit_code, code)

    def test_patterns(self):
        for shown, printed, good in (
            ("a.c", "abc", False),
            ("14:05", "23:59", True),
            ("at 2026-11-26T14:05:33.86Z", "at 2027-01-01T00:00:00Z", True),
            ("{...}", "{\n1}", True),
            ("HELLO", "HELLO ", False),
        ):
            with self.subTest(shown=shown, printed=printed):
                self.assertEqual(bool(re.fullmatch(blocks.pattern_of(shown), printed)), good)

    def test_half_a_command_is_refused(self):
        with tempfile.NamedTemporaryFile("w", suffix=".md") as file:
            file.write("```sh\nif true; then\n```\n")
            file.flush()
            self.assertRaisesRegex(AssertionError, "no whole command", blocks.steps_of, file.name)


if __name__ == "__main__":
    unittest.main()
