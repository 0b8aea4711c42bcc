"""Markdown: one title per document, and no relative link that leads nowhere."""

import pathlib
import re

FENCE = re.compile(r"^\s*(```|~~~)")
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
# Code and links may go over the end of a line, but not of a paragraph. A link is [text](target), or a definition, [name]: target.
INLINE_CODE = re.compile(r"(`+)(?!`)(?:[^\n]|\n(?!\n))+?(?<!`)\1(?!`)")
LINK = re.compile(
    r"!?\[(?:[^\]\n]|\n(?!\n))*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)"
    r"|^ {0,3}\[[^\]\n]+\]:\s+<?([^\s>]+)",
    re.MULTILINE)
ELSEWHERE = re.compile(r"^([a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


def check(source, root):
    if source.suffix != ".md":
        return
    titles = [number for number, level, _ in _headings(source.text) if level == 1]
    if len(titles) != 1:
        yield source.finding(titles[1] if titles else 1, f"{len(titles)} titles (#); a document has one")
    prose = _without_code(source.text)
    for match in LINK.finditer(prose):
        target = match.group(1) or match.group(2)
        if not ELSEWHERE.match(target):
            yield from _dead(source, prose.count("\n", 0, match.start()) + 1, target, pathlib.Path(root))


def _without_code(text):
    """The same lines, those of code blocks empty, and blanks for code in others."""
    lines = [""] * len(text.splitlines())
    for number, line in _prose(text):
        lines[number - 1] = line
    return INLINE_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), "\n".join(lines))


def _prose(text):
    """Numbered lines outside of code blocks."""
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        match = FENCE.match(line)
        if match and fence in (None, match.group(1)):
            fence = match.group(1) if fence is None else None
        elif fence is None:
            yield number, line


def _headings(text):
    for number, line in _prose(text):
        match = HEADING.match(line)
        if match:
            yield number, len(match.group(1)), match.group(2)


def _dead(source, number, target, root):
    path, _, anchor = target.partition("#")
    if path.startswith("/"):
        yield source.finding(number, f"link {target}: give it relative to this document")
        return
    file = (root / source.path).parent / path if path else root / source.path
    if not file.exists():
        yield source.finding(number, f"dead link: {target}")
    elif anchor and file.suffix == ".md" and anchor not in _anchors(file.read_text(encoding="utf-8")):
        yield source.finding(number, f"dead anchor: {target}")


def _anchors(text):
    """As GitHub makes them: lower case, punctuation dropped, spaces to hyphens, repetitions numbered."""
    seen = {}
    for _, _, title in _headings(text):
        slug = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        yield f"{slug}-{count}" if count else slug
