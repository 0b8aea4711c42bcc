"""A program at a pseudo-terminal whose output is drawn, for tests of what a person sees."""

import codecs
import os
import termios
import time

from tests.harness.deadlines import PATIENCE
from tests.harness.terminal import Terminal
from tests.harness.terminal_screen import TerminalScreen


class DrawnTerminal(Terminal):
    """`output` is what the program wrote, `picture` what that looks like. Close it after use."""

    def __init__(self, command, columns=80, environment=None, rows=24, picture=None):
        super().__init__(command, rows=rows, columns=columns, environment=environment)
        self.picture = picture or TerminalScreen(columns)
        self.output = ""
        self._drawn = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def keys(self, text):
        """Presses them, one after another."""
        data = text.encode()
        while data:
            data = data[os.write(self._master, data):]

    def resize(self, columns, rows=24):
        """What is there is broken into new rows before the program hears of it."""
        self.picture.resize(columns)
        termios.tcsetwinsize(self._master, (rows, columns))

    def mode(self):
        """The terminal's attributes, as the program has set them."""
        return termios.tcgetattr(self._master)

    def draw(self):
        """What has been read since the last time."""
        text = self._decoder.decode(self.screen[self._drawn:])
        self._drawn = len(self.screen)
        self.output += text
        self.picture.feed(text)

    def shows(self, condition, what):
        """Waits until condition() is true of what is drawn, and returns its value."""
        end = time.monotonic() + PATIENCE
        while not (value := condition()):
            if not self._read(end):
                raise AssertionError(f"not in time: {what}\n{self.shown()}")
            self.draw()
        return value

    def await_row(self, part):
        """Until there is a row that has `part`."""
        self.shows(lambda: any(part in row for row in self.picture.text()), f"a row with {part!r}")

    def await_prompt(self, prompt):
        """Until the row with the cursor is exactly this."""
        self.shows(lambda: self.picture.last_row() == prompt.rstrip(), f"the prompt {prompt!r}")

    def wait(self):
        code = super().wait()
        self.draw()
        return code

    def shown(self):
        """The picture, for the message of a failure."""
        return "\n".join(["---", *self.picture.text(), "---"])
