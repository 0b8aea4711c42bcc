"""The examples for Node."""

import unittest

from tests.examples.examples import Examples
from tests.examples.languages import Node


class NodeTest(Examples, unittest.TestCase):
    language = Node()


if __name__ == "__main__":
    unittest.main()
