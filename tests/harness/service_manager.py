"""What systemd is to a program: binds its sockets and hands them over (sd_listen_fds(3)), hears of its state
(sd_notify(3)), and looks whether it is alive."""

import fcntl
import pathlib
import shutil
import socket
import tempfile

from tests.harness.deadlines import PATIENCE
from tests.harness.ports import stable_port
from tests.harness.program import Program

FIRST_DESCRIPTOR = 3
# Ours are there, so that none is in the way when the program's are put in their places.
ABOVE_THOSE_OF_A_PROGRAM = 100


class ServiceManager:
    """Use as: manager = ServiceManager(); self.addCleanup(manager.close)."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rawgate-manager-"))
        # Commands run as an unprivileged user.
        self.folder.chmod(0o755)
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._notices.bind(str(self.folder / "notify"))
        self.sockets = []

    def close(self):
        for each in (*self.sockets, self._notices):
            each.close()
        shutil.rmtree(self.folder)

    def bind(self, kind=socket.SOCK_STREAM, family=socket.AF_INET, host="127.0.0.1"):
        """A socket as a socket unit makes one, on a port that was free; returns its address."""
        with socket.socket(family, kind) as low:
            made = socket.socket(fileno=fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, ABOVE_THOSE_OF_A_PROGRAM))
        self.sockets.append(made)
        made.bind((host, stable_port()))
        if kind == socket.SOCK_STREAM:
            made.listen()
        return made.getsockname()[:2]

    def program(self, name, *flags, watchdog_s=None):
        """The program, not started yet, with all sockets that are bound by now."""
        environment = {"NOTIFY_SOCKET": str(self.folder / "notify")}
        if watchdog_s:
            environment["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))
        # The variables name the process that they are for; the descriptors begin with the third.
        given = [each.fileno() for each in self.sockets]
        moves = " ".join(f"{FIRST_DESCRIPTOR + i}<&{fd}" for i, fd in enumerate(given))
        sockets = f"LISTEN_PID=$$ LISTEN_FDS={len(given)}" if given else ""
        script = f'export WATCHDOG_PID=$$ {sockets}; exec "$@" {moves}'
        under = ["bash", "-c", script, "bash"]
        return Program(name, flags, self.folder, environment, under, given)

    def notice(self, timeout=PATIENCE):
        """The next message, as a dictionary."""
        self._notices.settimeout(timeout)
        text = self._notices.recv(65536).decode()
        return dict(line.split("=", 1) for line in text.splitlines())

    def notice_with(self, key):
        """The next message that has `key`."""
        while True:
            notice = self.notice()
            if key in notice:
                return notice
