"""What a terminal makes of the few control sequences that our programs send: rows of text, and where the cursor is."""

import re
import unicodedata

SEQUENCE = re.compile(r"\x1b(?:[78]|\[(?P<parameters>[?0-9;]*)(?P<final>[A-Za-z]))")


def width_of(character):
    """Columns of one code point on a terminal that joins nothing."""
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Row:
    """Cells of a row; a wide character has an empty one behind it. `broken`: the text goes on in the next row."""

    def __init__(self):
        self.cells = []
        self.broken = False

    def text(self):
        return "".join(self.cells).rstrip()

    def put(self, column, character, width):
        self.cells.extend(" " * (column + width - len(self.cells)))
        self.cells[column:column + width] = [character] + [""] * (width - 1)


class TerminalScreen:
    """A terminal that is high enough never to scroll. A sequence that it does not know is an error."""

    def __init__(self, columns):
        self.columns = columns
        self.rows = [Row()]
        self.row = 0
        self.column = 0
        self.colored = False
        self.bracketed = False
        self._saved = (0, 0)
        self._rest = ""

    def feed(self, text):
        text = self._rest + text
        self._rest = ""
        while text:
            if text[0] == "\x1b":
                found = SEQUENCE.match(text)
                if not found:
                    if len(text) > 32:
                        raise AssertionError(f"an unknown sequence: {text[:32]!r}")
                    self._rest = text
                    return
                self._obey(found)
                text = text[found.end():]
            else:
                self._take(text[0])
                text = text[1:]

    def text(self):
        """The rows, each without blanks at its end."""
        return [row.text() for row in self.rows]

    def last_row(self):
        """The row that the cursor is in."""
        return self.rows[self.row].text()

    def resize(self, columns):
        """Rows that were broken are joined and broken anew, as most terminals do."""
        old = self.rows
        self.columns = columns
        self.rows = []
        place = None
        line = []
        for number, row in enumerate(old):
            if number == self.row:
                place = len(line) + self.column
            line.extend(row.cells)
            if row.broken and number + 1 < len(old):
                continue
            first = len(self.rows)
            self._break_anew(line)
            if place is not None:
                self.row, self.column = first + place // columns, place % columns
                while self.row >= len(self.rows):
                    self.rows[-1].broken = True
                    self.rows.append(Row())
                place = None
            line = []

    def _break_anew(self, cells):
        for start in range(0, max(1, len(cells)), self.columns):
            row = Row()
            row.cells = cells[start:start + self.columns]
            row.broken = start + self.columns < len(cells)
            self.rows.append(row)

    def _obey(self, found):
        if found[0] == "\x1b7":
            self._saved = (self.row, self.column)
        elif found[0] == "\x1b8":
            self.row, self.column = self._saved
        elif found["final"] == "m":
            self.colored = True
        elif found["final"] in "hl" and found["parameters"] == "?2004":
            self.bracketed = found["final"] == "h"
        elif found["final"] == "A":
            self.row -= int(found["parameters"])
            assert self.row >= 0, "the cursor left the screen"
        elif found["final"] == "J" and found["parameters"] == "":
            del self.rows[self.row + 1:]
            self._clear_row()
        elif found["final"] == "K":
            self._clear_row()
        else:
            raise AssertionError(f"an unknown sequence: {found[0]!r}")

    def _clear_row(self):
        del self.rows[self.row].cells[self.column:]
        self.rows[self.row].broken = False

    def _take(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self._next_row()
        elif character < " " or "\x7f" <= character < "\xa0":
            raise AssertionError(f"a control character: {character!r}")
        else:
            self._print(character)

    def _print(self, character):
        width = width_of(character)
        row = self.rows[self.row]
        if width == 0:
            before = max(index for index in range(self.column) if row.cells[index])
            row.cells[before] += character
            return
        if self.column + width > self.columns:
            row.broken = True
            self._next_row()
            self.column = 0
        self.rows[self.row].put(self.column, character, width)
        self.column += width

    def _next_row(self):
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append(Row())
