"""What a terminal makes of a program that has the whole screen: rows at known places, and the screen of before."""

from tests.harness.terminal_screen import Row, TerminalScreen, width_of


class FullScreen(TerminalScreen):
    """With the second screen of xterm. Text that would leave the screen is an error: nothing wraps there."""

    def __init__(self, columns, rows):
        super().__init__(columns)
        self.height = rows
        self.second = False
        self.cursor_shown = True
        self.wraps = True
        # What was on the first screen when it was left.
        self._first = None

    def resize(self, columns, rows=None):
        """A second screen is not broken anew; what it shows until it is drawn again differs among terminals."""
        if not self.second:
            super().resize(columns)
            return
        self.columns = columns
        self.height = rows or self.height
        self._blank()

    def _blank(self):
        self.rows = [Row() for _ in range(self.height)]

    def _obey(self, found):
        final, parameters = found["final"], found["parameters"]
        if final == "H":
            row, _, column = parameters.partition(";")
            self.row, self.column = int(row or 1) - 1, int(column or 1) - 1
            assert self.row < self.height, f"row {self.row + 1} of {self.height}"
        elif final == "J" and parameters == "2":
            self._blank()
        elif final is not None and final in "hl" and parameters in ("?1049", "?25", "?7", "?2026"):
            self._set_mode(parameters, final == "h")
        elif final == "m":
            self.colored = self.colored or parameters != "0"
        else:
            super()._obey(found)

    def _set_mode(self, mode, on):
        if mode == "?1049":
            assert on != self.second, "the other screen, twice"
            self.second = on
            if on:
                self._first = (self.rows, self.row, self.column)
                self._blank()
            else:
                self.rows, self.row, self.column = self._first
        elif mode == "?25":
            self.cursor_shown = on
        elif mode == "?7":
            self.wraps = on

    def _print(self, character):
        if self.second:
            assert self.column + width_of(character) <= self.columns, f"{self.last_row()!r} is too wide"
        super()._print(character)
