"""Names that want to be somewhere else, and what PROTOCOL.md says of each."""

import itertools

RESERVED = b".rawgate-"
_LONGEST = 1024
_COMPONENTS_MAX = 32
_COMPONENT_LONGEST = 255

_FIXED = (
    b"", b".", b"..", b"/", b"//", b"///", b"./", b"../", b"/.", b"/..", b"a/", b"a//b", b"a/.", b"a/..", b"a/./b",
    b"./a", b"a/../b", b"../a", b"..//a", b"/etc/passwd", b"/dev/zero", b"/proc/self/root/etc/passwd",
    b"../outside/secret", b"a/../../outside/secret", b"a/b/../../../outside/secret", b"/../outside/secret", b"\0",
    b"a\0", b"\0a", b"a\0/../b", b"..\0", b"../outside/secret\0.txt", b"a/\0", b"x" * 256, b"a/" + b"x" * 256,
    b"x/" * 32 + b"x", b"x/" * 31 + b"x", b"x/" * 600 + b"x", b"y" * 60_000, b"../" * 300 + b"etc/passwd",
    b"/".join([b"z" * 255] * 4), b"/".join([b"z" * 255] * 5), b".rawgate-", b".rawgate-uploads", b".rawgate-uploads/a",
    b"a/.rawgate-x", b".rawgate-uploads/../a", b".rawgate", b"\xc0\xae\xc0\xae/a", b"\xc0\xae\xc0\xae\xc0\xafa",
    b"\xe0\x80\xae\xe0\x80\xae/a", b"\xf0\x80\x80\xae", b"\xff\xfe", b"\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    b"..\\..\\outside\\secret", b"\\", b"\\\\server\\share", b"C:\\x", b"C:", b"CON", b"NUL", b"aux.txt", b"%2e%2e/a",
    b"%2e%2e%2fa", b"..%2fa", b"%00", b"...", b"....", b"../...", b".../a", b" ..", b".. ", b"..;", b"..\t", b"\n",
    b"a\nb", b"\r\n", b"\x1b[2J", b"\x7f", b"\x01", b"-rf", b"--", b"~", b"~root", b"$HOME", b"`id`", b"$(id)", b"a;b",
    b"a|b", b"*", b"?", b"\"", b"'", b"fifo", b"socket", b"device", b"fifo/a", b"device/a", b"link", b"link/secret",
    b"absolute", b"absolute/secret", b"magic", b"magic/status", b"\xef\xbc\x8e\xef\xbc\x8e/a", b"\xe2\x80\xae",
    b"\xe2\x88\x95etc", b"\xef\xbb\xbfa")
_PARTS = (
    b"..", b"..", b".", b"", b"a", b"b", b"outside", b"secret", b"etc", b"passwd", b"dev", b"zero", b"proc", b"self",
    b"root", b"x" * 255, b"x" * 256, b".rawgate-uploads", b".rawgate-0", b"\0", b"a\0b", b"\x01", b"\x1b[2J", b"\n",
    b"..\\", b"\\..", b"\xc0\xae\xc0\xae", b"\xe0\x80\xae", b"\xff", b"%2e%2e", b"...", b".. ", b"link", b"absolute",
    b"magic", b"fifo", b"\xe4\xbd\xa0", b"C:", b"~")


def hostile_names(count, chance):
    """So many different names, as bytes: those that everybody tries, then what chance makes of their parts."""
    names = dict.fromkeys(_FIXED)
    while len(names) < count:
        parts = [chance.choice(_PARTS) for _ in range(chance.choice([1, 2, 3, 4, 5, 32, 33]))]
        names[chance.choice([b"", b"", b"", b"/", b"./", b"../"]) + b"/".join(parts)] = None
    return list(itertools.islice(names, count))


def is_allowed(name):
    """Whether PROTOCOL.md lets a file have this name."""
    parts = name.split(b"/")
    return (len(name) <= _LONGEST and len(parts) <= _COMPONENTS_MAX and b"\0" not in name
            and all(part not in (b"", b".", b"..") and len(part) <= _COMPONENT_LONGEST and not part.startswith(RESERVED)
                    for part in parts))


def is_utf8(name):
    try:
        name.decode()
        return True
    except UnicodeDecodeError:
        return False


def json_string(name):
    """As JSON, with bytes that are not UTF-8 left as they are."""
    escaped = b"".join(b"\\u%04x" % byte if byte < 0x20 or byte in b"\"\\" else bytes([byte]) for byte in name)
    return b'"' + escaped + b'"'
