"""The examples in Shell."""

import unittest

from tests.examples.examples import Examples
from tests.examples.languages import Shell


class ShellTest(Examples, unittest.TestCase):
    language = Shell()


if __name__ == "__main__":
    unittest.main()
