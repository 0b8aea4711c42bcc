"""Comments of protos as Markdown."""

import re
import textwrap

WIDTH = 128
_BULLET = re.compile(r"[-*] ")
# In backticks; rawgate.echo.v1.EchoService; EchoService.Echo; EchoRequest.payload; EchoRequest; NO_SUCH_THING.
_WORD = re.compile(r"`[^`]*`|\b(?:[a-z]\w*\.)+[A-Z]\w*|\b[A-Z]\w*\.[A-Z]\w*|\b[A-Z][A-Za-z0-9]*(?:\.[a-z_0-9]+)+|"
                   r"\b[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+\b|\b[A-Z]+(?:_[A-Z0-9]+)*\b")


class Prose:
    """For one page: names that it knows become links. `links` are targets by name, `reasons` by reason."""

    def __init__(self, links, reasons, codes):
        self._links = links
        self._reasons = reasons
        self._codes = codes

    def line(self, comment, own=""):
        """All of the comment in one line, for a list; `own` is the name that is not linked, being there already."""
        return self._marked(" ".join(comment.split()), own)

    def paragraphs(self, comment, own=""):
        """Paragraphs, lists and examples, in lines of a width."""
        blocks = []
        for block in re.split(r"\n\s*\n", comment):
            lines = [line for line in block.split("\n") if line.strip()]
            if lines and all(line.startswith("  ") for line in lines):
                blocks.append("\n".join(["```text", *textwrap.dedent("\n".join(lines)).split("\n"), "```"]))
            elif lines:
                blocks.append("\n".join(self._wrapped(item, own) for item in _items(lines)))
        return "\n\n".join(blocks)

    def _wrapped(self, item, own):
        indent = "  " if _BULLET.match(item) else ""
        return wrap(self._marked(item, own), indent)

    def _marked(self, text, own):
        def mark(match):
            word = match[0]
            if word.startswith("`"):
                return word
            if word in self._reasons:
                return f"[`{word}`]({self._reasons[word]})"
            if word in self._codes:
                return f"`{word}`"
            if word in self._links and "." in word:
                return f"[`{word}`]({self._links[word]})"
            name = word.partition(".")[0]
            if name in self._links and name != own and (name != word or re.search("[a-z][A-Z]", name)):
                return f"[`{word}`]({self._links[name]})"
            return word

        return re.sub(r"<", "&lt;", _WORD.sub(mark, text)) if "<" in text else _WORD.sub(mark, text)


def wrap(text, indent=""):
    return "\n".join(textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False))


def _items(lines):
    """Lines put together to paragraphs, or to the items of a list."""
    items = []
    for line in lines:
        if not items or _BULLET.match(line):
            items.append(line.strip())
        else:
            items[-1] += f" {line.strip()}"
    return items
