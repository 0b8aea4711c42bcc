"""What the two oldest time protocols answer, as tests of other things check it."""

import re
import struct
import time

SECONDS_FROM_1900_TO_1970 = 2_208_988_800


def check_daytime(test, line):
    """RFC 867: a line for people, with the year somewhere."""
    test.assertIsNotNone(re.fullmatch(rb"[ -~]*\b20\d\d\b[ -~]*\r\n", line), line)


def check_seconds(test, answer):
    """RFC 868: seconds since 1900 in four bytes; close enough that they are today's."""
    test.assertEqual(len(answer), 4)
    seconds = struct.unpack("!I", answer)[0] - SECONDS_FROM_1900_TO_1970
    test.assertLess(abs(seconds - time.time()), 120)
