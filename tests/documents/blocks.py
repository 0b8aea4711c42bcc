"""What documents show: their blocks of shell and of Python, the commands in them, and what each is to print."""

import dataclasses
import re
import subprocess

from tests.harness.program import REPOSITORY

# Whole folders, and single ones elsewhere. docs/adr and docs/api show no commands; deploy/*/README.md are for clusters, and
# tests/deploy and tests/docker have what is in them; examples and clients have tests of their own for theirs.
FOLDERS = ("docs", "docs/services", "docs/lessons", "docs/lessons/zh")
TOP = ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md")

FENCE = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
RUN = ("sh", "python")
# The forms in which documents show a time.
TIMES = (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", r"\d{4}-\d\d-\d\d", r"\d\d:\d\d")


@dataclasses.dataclass(frozen=True)
class Step:
    """A command of a shell block, with the lines of comment and the empty ones that follow it, or a whole Python block."""

    language: str
    text: str

    @property
    def name(self):
        """Its first line without the comment, which is what lists call it."""
        return without_comment(self.text.splitlines()[0])

    @property
    def shown(self):
        """What it is to print, "" when the document does not say."""
        return "\n".join(re.findall(r"#(?: .*?)?? -> (.*)$", self.text, re.MULTILINE))

    @property
    def exit_code(self):
        """What a comment says ("# exit 1"), for commands that are there to show a failure."""
        said = re.search(r"(?:^|\s)# (?:.*?[^a-z])??exit (\d+)\b", self.text)
        return int(said[1]) if said else 0


def documents():
    """Those that may show commands, relative to the repository's root."""
    paths = [REPOSITORY / name for name in TOP]
    for folder in FOLDERS:
        paths += sorted((REPOSITORY / folder).glob("*.md"))
    paths += sorted(REPOSITORY.glob("services/*/PROTOCOL.md"))
    return [path.relative_to(REPOSITORY).as_posix() for path in paths if path.exists()]


def blocks_of(document):
    """Pairs of language and text, of all languages."""
    return FENCE.findall((REPOSITORY / document).read_text(encoding="utf-8"))


def steps_of(document):
    return [step for language, block in blocks_of(document) if language in RUN for step in _steps(language, block)]


def blocks_without_comments(document):
    """What is the same in a translation."""
    return [(language, "\n".join(filter(None, map(without_comment, block.splitlines()))))
            for language, block in blocks_of(document) if language in RUN]


def without_comment(line):
    return re.sub(r"(^|\s+)#( .*|$)", "", line)


def _steps(language, block):
    if language == "python":
        return [Step(language, block)]
    return [Step(language, command) for command in _commands(block)]


def _commands(block):
    commands, lines = [], ""
    for line in block.splitlines(keepends=True):
        if not lines and re.match("#|$", line):
            if commands:
                commands[-1] += line
            continue
        lines += line
        if _is_whole(lines):
            commands.append(lines)
            lines = ""
    if lines:
        raise AssertionError(f"this is no whole command:\n{lines}")
    return commands


def _is_whole(lines):
    """Whether bash would not ask for another line; of a here-document without an end it only warns."""
    checked = subprocess.run(["bash", "-n", "-c", lines], capture_output=True, check=False)
    return not checked.stderr and not lines.endswith("\\\n")


def pattern_of(shown):
    """A regular expression for what may be printed where a document shows this: "..." stands for anything, and a time for
    any other."""
    def piece(text):
        if text == "...":
            return "(?s:.*)"
        return next((time for time in TIMES if re.fullmatch(time, text)), re.escape(text))

    return "".join(map(piece, re.split(rf"(\.\.\.|{'|'.join(TIMES)})", shown)))
