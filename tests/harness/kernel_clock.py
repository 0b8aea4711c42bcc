"""What the kernel says of its clock, which is what an honest time server says."""

import ctypes
import struct

_TIME_ERROR = 5
_STA_UNSYNC = 0x40


def is_synchronized():
    """adjtimex(2) with modes 0, which only asks; False where the kernel does not tell."""
    timex = ctypes.create_string_buffer(512)
    state = ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    # modes, offset, freq, maxerror, esterror, status: native sizes and alignment.
    status = struct.unpack_from("Illlli", timex.raw)[5]
    return 0 <= state < _TIME_ERROR and not status & _STA_UNSYNC
