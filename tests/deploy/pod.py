"""A pod of the manifests on this machine, as far as one can be had without a cluster: the container's command and environment,
its user without capabilities, a read-only root, the volumes that it names with the owners and modes that kubelet gives them,
process id 1, and an address that is not loopback. No seccomp profile, and all pods share a network."""

import base64
import os
import pathlib
import signal

from tests.deploy.kustomize import PROGRAMS
from tests.harness.processes import children_of
from tests.harness.program import BIN_DIR, Program

ADDRESS = "10.244.0.7"
_FILES = {
    "passwd": "root:x:0:0::/:/bin/sh\nrawgate:x:10001:10001::/home/rawgate:/usr/sbin/nologin\n",
    "group": "root:x:0:\nrawgate:x:10001:\n",
    "nsswitch.conf": "hosts: files\n",
    "hosts": "127.0.0.1 localhost\n" + "".join(f"{ADDRESS} {name}\n" for name in PROGRAMS),
}


class Cluster:
    """Where pods are made: one network namespace, one folder of this machine."""

    def __init__(self, manifests, namespace, folder, secrets):
        self.manifests = manifests
        self.secrets = {secret["metadata"]["name"]: secret for secret in secrets}
        self.folder = pathlib.Path(folder)
        self.namespace = namespace
        namespace.ip("address", "add", f"{ADDRESS}/32", "dev", "lo")
        for name, text in _FILES.items():
            (self.folder / name).write_text(text)

    def start(self, program):
        """Its pod, once it is ready by its own word."""
        directory = self.folder / program
        directory.mkdir(exist_ok=True)
        return PodProgram(program, [], directory, self.manifests.settings(program), self._under(program)).start()

    def _under(self, program):
        """The command that becomes the container's."""
        identity = self.manifests.pod(program)["securityContext"]
        binds = [("--ro-bind", "/usr", "/usr"), ("--ro-bind", BIN_DIR, BIN_DIR)]
        binds += [("--ro-bind", self.folder / name, f"/etc/{name}") for name in _FILES]
        for mount in self.manifests.container(program)["volumeMounts"]:
            how = "--ro-bind" if mount.get("readOnly") else "--bind"
            binds.append((how, self._volume(program, mount["name"], identity["fsGroup"]), mount["mountPath"]))
        root = ["--dev", "/dev", "--proc", "/proc"]
        for folder in ("bin", "sbin", "lib", "lib64"):
            root += ["--symlink", f"usr/{folder}", f"/{folder}"]
        for how, source, place in binds:
            for above in reversed(pathlib.Path(place).parents):
                root += ["--perms", "0755", "--dir", str(above)]
            root += [how, str(source), str(place)]
        become = ["setpriv", f"--reuid={identity['runAsUser']}", f"--regid={identity['runAsGroup']}",
                  f"--groups={identity['fsGroup']}", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs",
                  "--pdeathsig=KILL"]
        return [*self.namespace.under, "bwrap", "--unshare-pid", "--as-pid-1", "--unshare-ipc", "--unshare-uts",
                "--die-with-parent", *root, "--remount-ro", "/", "--chdir", "/",
                *(word for name in ("SETUID", "SETGID", "SETPCAP") for word in ("--cap-add", f"CAP_{name}")), *become]

    def _volume(self, program, name, group):
        """The folder that stands for a volume, with what kubelet would put there."""
        volume, = [entry for entry in self.manifests.pod(program)["volumes"] if entry["name"] == name]
        folder = self.folder / f"{program}-{name}"
        if folder.exists():
            return folder
        folder.mkdir()
        if "secret" in volume:
            files = {key: base64.b64decode(data) for key, data in self.secrets[volume["secret"]["secretName"]]["data"].items()}
            mode = volume["secret"]["defaultMode"]
        elif "configMap" in volume:
            data = self.manifests.of("ConfigMap")[volume["configMap"]["name"]]["data"]
            files, mode = {key: text.encode() for key, text in data.items()}, 0o644
        else:
            files, mode = {}, None
        for key, content in files.items():
            (folder / key).write_bytes(content)
            (folder / key).chmod(mode)
            os.chown(folder / key, 0, group)
        # What fsGroup makes of an empty volume: the group's, and so of whatever is made there.
        os.chown(folder, 0, group)
        folder.chmod(0o2775 if mode is None else 0o755)
        return folder


class PodProgram(Program):
    """A program whose process is a child of bubblewrap's; that one goes when this ends, with its status."""

    @property
    def pid(self):
        inside, = children_of(self.process.pid)
        return inside

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        self.expect_exit(0)
