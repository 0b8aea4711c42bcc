"""The servers that answer datagrams: ours and what they are compared with."""

import os
import pathlib
import pwd
import socket
import subprocess
import tempfile

from measure import pinned_to
from servers import Servers, await_ready, free_port, program_path

# Only what a server takes: no sources of its own, no hand on the machine's clock, nothing outside of `folder`.
CHRONY_CONFIGURATION = """\
port {port}
bindaddress 127.0.0.1
allow 127.0.0.0/8
local stratum 3
cmdport 0
bindcmdaddress {folder}/command.sock
pidfile {folder}/pid
"""
# A request of version 4; its transmit timestamp is what an answer must have as its origin.
NTP_REQUEST = b"\x23" + bytes(39) + b"RAWGATE!"
# What `sockperf ping-pong -m 64` sends: a sequence number, the flags "from a client" and "answer", the size.
SOCKPERF_REQUEST = bytes.fromhex("0000000000000001" "0003" "00000040") + bytes(50)


class UdpServers(Servers):
    """Stops them at the end, and removes what they had on disk."""

    def __init__(self, build):
        super().__init__(build)
        self._folder = pathlib.Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="rawgate-bench-")))

    def chronyd(self, processor=None):
        configuration = self._folder / "chrony.conf"
        port = free_port(socket.SOCK_DGRAM)
        configuration.write_text(CHRONY_CONFIGURATION.format(port=port, folder=self._folder))
        # -d: in the foreground; -x: the clock is left alone; -U: root is not needed for that.
        user = pwd.getpwuid(os.geteuid()).pw_name
        command = [*pinned_to(processor), program_path("chronyd"), "-d", "-x", "-U", "-u", user, "-f", str(configuration)]
        return self._responder("chronyd", port, command, NTP_REQUEST)

    def sockperf(self):
        port = free_port(socket.SOCK_DGRAM)
        command = ["sockperf", "server", "-i", "127.0.0.1", "-p", str(port)]
        return self._responder("sockperf server", port, command, SOCKPERF_REQUEST)

    def _responder(self, name, port, command, request):
        """A daemon that is ready when it answers."""
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server = self._add(name, process, port)
        await_ready(process, lambda: answers(port, request))
        return server


def answers(port, request):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        try:
            client.connect(("127.0.0.1", port))
            client.send(request)
            return bool(client.recv(2048))
        except OSError:
            return False
