"""A process that swaps two entries of a folder, each time in one step, as fast as it can: a folder and a link to another.

    python3 -m tests.harness.link_swapper ONE OTHER [ONE OTHER]...      until the end of stdin; then tells how often
"""

import ctypes
import os
import sys
import threading

_AT_FDCWD = -100
_EXCHANGE = 2
_libc = ctypes.CDLL(None, use_errno=True)


def main(*paths):
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    encoded = [os.fsencode(path) for path in paths]
    pairs = list(zip(encoded[::2], encoded[1::2]))
    swaps = 0
    while not ended.is_set():
        for one, other in pairs:
            if _libc.renameat2(_AT_FDCWD, one, _AT_FDCWD, other, _EXCHANGE) != 0:
                sys.exit(f"renameat2: {os.strerror(ctypes.get_errno())}")
            swaps += 1
    print(swaps)


if __name__ == "__main__":
    main(*sys.argv[1:])
