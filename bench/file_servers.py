"""The servers that store files: ours and what they are compared with, each in a folder of its own on the same disk."""

import grp
import os
import pathlib
import pwd
import subprocess
import tempfile

from servers import Servers, free_port, program_path

# Nothing of the distribution's: its temporary folders are another user's. Bodies are received in the store's file system,
# so that naming them is a rename.
NGINX_CONFIGURATION = """\
daemon off;
user {user} {group};
worker_processes auto;
pid {state}/pid;
error_log stderr crit;
events {{ }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  client_max_body_size 0;
  client_body_temp_path {state}/client_body;
  proxy_temp_path {state}/proxy;
  fastcgi_temp_path {state}/fastcgi;
  uwsgi_temp_path {state}/uwsgi;
  scgi_temp_path {state}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      root {store};
      dav_methods PUT;
    }}
  }}
}}
"""

# `uid` and `gid` count only for root.
RSYNC_CONFIGURATION = """\
use chroot = no
uid = {uid}
gid = {gid}
log file = /dev/null
[store]
path = {store}
read only = no
"""


class FileServers(Servers):
    """Starts servers that store below a new folder of `data`; stops them and removes it at the end."""

    def __init__(self, build, data):
        super().__init__(build)
        self.folder = pathlib.Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="files-", dir=data)))
        self._stores = []

    def rawgate(self):
        folder = self._new_store("rawgate")
        return self._storing(folder, self.ours("file", "tcp", f"--root={folder}"))

    def bare_store(self, how, name):
        folder = self._new_store(how)
        return self._storing(folder, self.bare("bare_store", how, folder, name=name))

    def naive_file(self):
        folder = self._new_store("naive")
        return self._storing(folder, self.naive("naive_file_server.py", folder))

    def nginx(self):
        port, folder, state = free_port(), self._new_store("nginx"), self.folder / "nginx-state"
        state.mkdir()
        configuration = state / "nginx.conf"
        configuration.write_text(NGINX_CONFIGURATION.format(
            user=pwd.getpwuid(os.geteuid()).pw_name, group=grp.getgrgid(os.getegid()).gr_name,
            state=state, store=folder, port=port))
        return self._storing(folder, self._daemon("nginx", port, [
            program_path("nginx"), "-p", str(state), "-e", "stderr", "-c", str(configuration)]))

    def rsync(self):
        port, folder = free_port(), self._new_store("rsync")
        configuration = self.folder / "rsyncd.conf"
        configuration.write_text(RSYNC_CONFIGURATION.format(uid=os.geteuid(), gid=os.getegid(), store=folder))
        return self._storing(folder, self._daemon("rsync daemon", port, [
            "rsync", "--daemon", "--no-detach", "--address=127.0.0.1", f"--port={port}", f"--config={configuration}"]))

    def clear(self):
        """Removes what has been stored, and waits until the disk has nothing left to do."""
        for folder in self._stores:
            for entry in os.scandir(folder):
                if entry.is_file(follow_symlinks=False):
                    os.unlink(entry)
        os.sync()

    def _new_store(self, name):
        folder = self.folder / name
        folder.mkdir()
        self._stores.append(folder)
        return folder

    def _storing(self, folder, server):
        """Tells where a server stores."""
        server.folder = folder
        return server


def file_system_of(folder):
    """Its type, such as ext4."""
    done = subprocess.run(["findmnt", "--noheadings", "--output", "FSTYPE", "--target", str(folder)],
                          check=True, capture_output=True, text=True)
    return done.stdout.strip()
