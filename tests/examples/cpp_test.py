"""The examples in C++."""

import unittest

from tests.examples.examples import Examples
from tests.examples.languages import Cpp


class CppTest(Examples, unittest.TestCase):
    language = Cpp()


if __name__ == "__main__":
    unittest.main()
