"""All that is below a folder, to be compared with what was there before."""

import os
import stat


def tree(folder):
    """Each entry's kind, target or content, size and times of change, by its path. Links are not followed."""
    entries = {}
    for path, folders, files in os.walk(os.fsencode(folder)):
        for name in [*folders, *files, b"."]:
            full = os.path.join(path, name)
            status = os.lstat(full)
            content = None
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(full)
            elif stat.S_ISREG(status.st_mode):
                with open(full, "rb") as file:
                    content = file.read()
            entries[full] = stat.S_IFMT(status.st_mode), content, status.st_mtime_ns, status.st_ctime_ns
    return entries
