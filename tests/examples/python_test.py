"""The examples in Python."""

import unittest

from tests.examples.examples import Examples
from tests.examples.languages import Python


class PythonTest(Examples, unittest.TestCase):
    language = Python()


if __name__ == "__main__":
    unittest.main()
