"""Who may use a gateway, for tests: an access file, and what its users send."""

import hashlib
import pathlib

TOKENS = {"viewer": "token-of-the-viewer", "operator": "token-of-the-operator", "executor": "token-of-the-executor",
          "admin": "token-of-the-admin"}


def bearer(token):
    """Metadata of a call by whoever has this token."""
    return (("authorization", f"Bearer {token}"),)


def as_user(name):
    return bearer(TOKENS[name])


def user(name, role, *tokens, uris=(), common_names=()):
    """`user { ... }` of the access file."""
    lines = [f'name: "{name}"', f"role: ROLE_{role.upper()}"]
    lines += [f'token_sha256: "{hashlib.sha256(token.encode()).hexdigest()}"' for token in tokens]
    lines += [f'certificate_uri: "{uri}"' for uri in uris]
    lines += [f'certificate_common_name: "{common_name}"' for common_name in common_names]
    return f"user {{ {' '.join(lines)} }}\n"


def one_user_for_each_role():
    return "".join(user(role, role, token) for role, token in TOKENS.items())


class AccessFile:
    def __init__(self, path, text):
        self.path = pathlib.Path(path)
        self.put(text)

    def put(self, text):
        """At once: readers see the old file or the new one."""
        following = self.path.with_suffix(".new")
        following.write_text(text)
        following.rename(self.path)

    @property
    def flag(self):
        return f"--access_file={self.path}"
