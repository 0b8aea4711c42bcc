"""What the rules look at, and what they say."""

import dataclasses
import functools
import io
import pathlib
import re
import tokenize

CPP = (".cc", ".h")
HASH_COMMENTED = (".cmake", ".sh", ".yml", ".yaml", "")


@dataclasses.dataclass(frozen=True)
class Finding:
    path: str
    line: int
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


@dataclasses.dataclass(frozen=True)
class Source:
    """A text file of the project. `path` is relative to its root, with slashes."""

    path: str
    text: str

    @functools.cached_property
    def lines(self):
        return self.text.splitlines()

    @property
    def name(self):
        return pathlib.PurePosixPath(self.path).name

    @property
    def suffix(self):
        return pathlib.PurePosixPath(self.path).suffix

    def finding(self, line, message):
        return Finding(self.path, line, message)

    @functools.cached_property
    def comments(self):
        """Pairs of line number and comment text, marker included; every line of a document is comment."""
        if self.suffix == ".py":
            return list(_python_comments(self.text))
        if self.suffix == ".md":
            return list(enumerate(self.lines, 1))
        if self.suffix in CPP + (".proto", ".js", ".mjs"):
            return list(_marked(self.lines, _SLASHES))
        if self.suffix in HASH_COMMENTED or self.name in ("CMakeLists.txt", "Dockerfile"):
            return list(_marked(self.lines, _HASH))
        return []


# Comment to the end of the line, when what stands before it holds no open string.
_SLASHES = re.compile(r'^(?:[^"/]|"(?:[^"\\]|\\.)*"|/(?!/))*(//.*)$')
_HASH = re.compile(r"^(?:[^\"'#]|\"[^\"]*\"|'[^']*'|(?<=\S)#)*?(?:^|(?<=\s))(#.*)$")


def _marked(lines, pattern):
    for number, line in enumerate(lines, 1):
        match = pattern.match(line)
        if match:
            yield number, match.group(1)


def _python_comments(text):
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
