"""The examples in Go."""

import unittest

from tests.examples.examples import Examples
from tests.examples.languages import Go


class GoTest(Examples, unittest.TestCase):
    language = Go()


if __name__ == "__main__":
    unittest.main()
