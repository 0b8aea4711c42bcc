"""Folders of `rawgate init-tls`, with further clients, good and bad, whom the openssl command makes."""

import pathlib
import subprocess

import grpc

from tests.harness.program import BIN_DIR, clean_environment


def init_tls(folder, *options):
    """What `rawgate init-tls` makes, and what it prints."""
    made = subprocess.run([BIN_DIR / "rawgate", "init-tls", folder, *options], check=True, capture_output=True, text=True,
                          env=clean_environment())
    return made.stdout


class TlsFolder:
    """What `rawgate init-tls` makes, and further certificates that its CA signs."""

    def __init__(self, folder, *options):
        self.folder = pathlib.Path(folder)
        self.printed = init_tls(self.folder, *options)

    def path(self, name):
        return self.folder / name

    def sign(self, name, common_name="", uris=(), days=10):
        """A client's certificate and key; of negative days, one that has expired."""
        key, request = self.path(f"{name}-key.pem"), self.path(f"{name}.csr")
        names = ["-addext", "subjectAltName=" + ",".join(f"URI:{uri}" for uri in uris)] if uris else []
        self._openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", key)
        self._openssl("req", "-new", "-key", key, "-subj", f"/CN={common_name}" if common_name else "/O=nobody", *names,
                      "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.path("ca.pem"), "-CAkey", self.path("ca-key.pem"),
                      "-copy_extensions", "copyall", "-days", days, "-out", self.path(f"{name}.pem"))
        return self

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    def credentials(self, name="", signer=None):
        """Of a channel that trusts this CA and shows the certificate called `name`, which `signer` has made."""
        read = lambda file, at: (at or self).path(file).read_bytes()
        own = (read(f"{name}-key.pem", signer), read(f"{name}.pem", signer)) if name else (None, None)
        return grpc.ssl_channel_credentials(read("ca.pem", self), *own)

    def gateway_flags(self):
        return [f"--tls_certificate={self.path('server.pem')}", f"--tls_key={self.path('server-key.pem')}",
                f"--tls_client_ca={self.path('ca.pem')}"]
