"""What the comments say of errors: "NOT_FOUND (FILE_NOT_FOUND), ABORTED (WRONG_OFFSET, whose ErrorInfo has the right one)"."""

import dataclasses
import re

CODES = ("CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
         "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
         "DATA_LOSS", "UNAUTHENTICATED")

_CODE = re.compile(rf"\b({'|'.join(CODES)})\b")
# Of several words, or one at the beginning of what stands in parentheses, or behind a comma or semicolon there.
_REASON = re.compile(r"\b([A-Z]+(?:_[A-Z0-9]+)+)\b|(?:^|[;,] (?:or )?)([A-Z]{2,})\b")
_ERRNO = re.compile(r"E[A-Z0-9]{2,14}")
MARK = "Errors: "


@dataclasses.dataclass(frozen=True)
class Clause:
    """One reason under one code, and when."""

    code: str
    reason: str
    note: str


def split(comment):
    """What a method does, and what its comment says of errors."""
    text, _, errors = comment.partition(MARK)
    return text.strip(), errors.strip()


def clauses(text):
    """Every reason that the text names, in order."""
    flat = " ".join(text.split())
    found, behind = [], 0
    for begin, end in _groups(flat):
        codes = _CODE.findall(flat[behind:begin])
        behind = end
        if codes:
            found += _clauses_of(codes[-1], flat[begin + 1:end - 1])
    return found


def _groups(text):
    """Where the outermost parentheses begin, and end."""
    depth, begin = 0, 0
    for index, character in enumerate(text):
        if character == "(":
            begin = index if depth == 0 else begin
            depth += 1
        elif character == ")" and depth > 0:
            depth -= 1
            if depth == 0:
                yield begin, index + 1


def _clauses_of(code, text):
    matches = [match for match in _REASON.finditer(text) if not _ERRNO.fullmatch(_word(match)) and _word(match) not in CODES]
    ends = [match.start() for match in matches[1:]] + [len(text)]
    for match, end in zip(matches, ends):
        note = re.sub(r"[;,][^;,:()]*$", "", text[match.end():end]) if end < len(text) else text[match.end():]
        yield Clause(code, _word(match), note.strip(" ,;:"))


def _word(match):
    return match[1] or match[2]


@dataclasses.dataclass(frozen=True)
class Source:
    """A method, or a service whose methods have an error in common; `page` and `anchor` are where it stands."""

    title: str
    page: str
    anchor: str

    @property
    def link(self):
        return f"{self.page}#{self.anchor}" if self.anchor else self.page


def index(places):
    """Reasons, in order, each with the pairs of clause and source; `places` are pairs of source and text."""
    found = {}
    for source, text in places:
        for clause in clauses(text):
            entry = found.setdefault(clause.reason, [])
            if (clause, source) not in entry:
                entry.append((clause, source))
    return dict(sorted(found.items()))
