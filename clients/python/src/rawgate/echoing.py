"""What echo does to bytes."""

from enum import IntEnum


class Transform(IntEnum):
    """What happens to the bytes of a payload."""

    # What the service's listener is configured to do; upper-casing unless told otherwise.
    UNSPECIFIED = 0
    # ASCII a-z become A-Z.
    UPPER = 1
    # Nothing (RFC 862).
    IDENTITY = 2
