"""What the demo prints: titles, commands as somebody would type them, and what came back.

Colours only on a terminal, and not with NO_COLOR (https://no-color.org). Long lines of results are cut at the window's edge and
long results in their middle, so that a scene stays on one screen.
"""

from __future__ import annotations

import os
import shutil
import textwrap
from typing import TextIO

WIDTH_WITHOUT_TERMINAL = 110  # columns, when the output goes into a file or a test
TEXT_WIDTH = 96  # of paragraphs: longer lines are hard to read
MOST_LINES = 14  # of one result

_BOLD, _DIM, _RED, _GREEN, _CYAN, _PLAIN = "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[36m", "\033[0m"


class Screen:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._colours = terminal and "NO_COLOR" not in os.environ
        self._after_blank = False
        self._width = shutil.get_terminal_size().columns if terminal else WIDTH_WITHOUT_TERMINAL

    def title(self, text: str) -> None:
        self.blank()
        rule = "─" * max(3, min(self._width, TEXT_WIDTH + 4) - len(text) - 4)
        self._line(self._in(_BOLD, f"── {text} {rule}"))
        self._line()

    def say(self, text: str) -> None:
        for line in textwrap.wrap(text, min(self._width, TEXT_WIDTH)):
            self._line(line)

    def command(self, who: str, text: str, prompt: str = "$") -> None:
        """`text` may have several lines; `who` types at `prompt`. Never cut: it may be wanted for pasting."""
        first, *rest = text.splitlines()
        start = f"{who}{prompt} "
        self._line(f"  {self._in(_CYAN, start)}{self._in(_BOLD, first)}")
        for line in rest:
            self._line("  " + " " * len(start) + self._in(_BOLD, line))

    def result(self, text: str, most: int = MOST_LINES, *, whole: bool = False) -> None:
        """What a command printed; `whole`: long lines are wrapped and not cut."""
        lines = text.rstrip().splitlines()
        if whole:
            lines = [piece for line in lines for piece in textwrap.wrap(line, self._width - 5)]
        elif len(lines) > most:
            # The end tells how many rows there were, the start what they are.
            kept = most - 3
            lines = [*lines[:kept], f"… {len(lines) - kept - 2} more lines …", *lines[-2:]]
        for line in lines:
            shown = self._cut(line, 4)
            refused = line.startswith(("ERROR", "FATAL"))
            self._line("    " + (self._in(_RED, shown) if refused else shown))
        self._line()

    def aside(self, text: str) -> None:
        """A remark on what was just seen."""
        first, *rest = textwrap.wrap(text, min(self._width, TEXT_WIDTH) - 4)
        self._line("  " + self._in(_GREEN, "→ ") + first)
        for line in rest:
            self._line("    " + line)
        self._line()

    def note(self, text: str) -> None:
        self._line(self._in(_DIM, text))

    def error(self, text: str) -> None:
        self._line()
        for line in text.splitlines():
            self._line(self._in(_RED, line))

    def blank(self) -> None:
        """One empty line, and not a second one."""
        if not self._after_blank:
            self._line()

    def _cut(self, line: str, used: int) -> str:
        room = max(20, self._width - used)
        return line if len(line) <= room else line[: room - 1] + "…"

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colours else text

    def _line(self, text: str = "") -> None:
        print(text, file=self._stream, flush=True)
        self._after_blank = not text
