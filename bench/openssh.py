"""OpenSSH on loopback, as a peer: an sshd, and one connection that commands share by its control socket.

Keys, configuration and socket are in a temporary folder; those of this machine and of who runs this are neither used nor
changed.
"""

import contextlib
import os
import pathlib
import subprocess
import tempfile

from servers import accepts, await_ready, free_port, program_path, stop

# Another HOME, so that what a user has made of the login shell (~/.bashrc, which bash reads below sshd) is not measured.
SERVER_CONFIGURATION = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
AuthenticationMethods publickey
PermitRootLogin prohibit-password
PermitUserRC no
SetEnv HOME={folder}
StrictModes no
UsePAM no
PidFile none
LogLevel FATAL
"""

CLIENT_CONFIGURATION = """\
Port {port}
IdentityFile {folder}/user_key
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile /dev/null
GlobalKnownHostsFile /dev/null
StrictHostKeyChecking no
BatchMode yes
LogLevel ERROR
"""

# Where sshd, as root, confines the part of itself that talks to strangers. It insists on that, and otherwise the
# distribution makes it when the system starts.
CONFINEMENT = pathlib.Path("/run/sshd")


class SharedConnection:
    """sshd and a connection to it while it is entered."""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            for name in ("host_key", "user_key"):
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._folder / name)], check=True)
            if os.geteuid() == 0 and not CONFINEMENT.exists():
                CONFINEMENT.mkdir(mode=0o755)
                stack.callback(CONFINEMENT.rmdir)
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def command(self, text):
        """The program and its arguments that run `text` through the connection."""
        # Without a connection to share, ssh would make one of its own: by a program that fails.
        return ["ssh", "-F", "none", "-S", str(self._control), "-o", "ProxyCommand=false", "127.0.0.1", text]

    def _start(self, stack):
        port = free_port()
        # sshd starts itself again for each connection, and wants to know where it is.
        sshd = subprocess.Popen([program_path("sshd"), "-D", "-e", "-f",
                                 self._write("sshd_config", SERVER_CONFIGURATION, port)])
        stack.callback(stop, sshd)
        await_ready(sshd, lambda: accepts(port))
        master = subprocess.Popen(["ssh", "-F", self._write("ssh_config", CLIENT_CONFIGURATION, port),
                                   "-M", "-N", "-S", str(self._control), "127.0.0.1"], stdin=subprocess.DEVNULL)
        stack.callback(stop, master)
        await_ready(master, self._control.exists)

    @property
    def _control(self):
        return self._folder / "control"

    def _write(self, name, configuration, port):
        path = self._folder / name
        path.write_text(configuration.format(port=port, folder=self._folder))
        return str(path)
