"""Certificates made by the openssl command, in a folder of the test's."""

import os
import pathlib
import subprocess

LOOPBACK = ("DNS:localhost", "IP:127.0.0.1", "IP:::1")


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Authority:
    """Signs certificates. Files: ca.pem, and NAME.pem with NAME.key for each identity."""

    def __init__(self, directory, name="ca"):
        self.directory = pathlib.Path(directory)
        self.name = name
        self.certificate = self.directory / f"{name}.pem"
        self.key = self.directory / f"{name}.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate)

    def issue(self, name, names=LOOPBACK):
        """Makes an identity, or a new one of the same name in the place of the old: (certificate, key), as paths. Each
        file appears whole; the key comes first, so that for a moment the two do not fit."""
        return self.issue_at(self.directory / f"{name}.pem", self.directory / f"{name}.key", name, names)

    def issue_at(self, certificate, key, name, names=LOOPBACK):
        request, extensions = (self.directory / f"{self.name}-{name}.{kind}" for kind in ("csr", "ext"))
        extensions.write_text(f"subjectAltName={','.join(names)}\n")
        new_key, new_certificate = pathlib.Path(f"{key}.new"), pathlib.Path(f"{certificate}.new")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                 "-keyout", new_key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                 "-days", "2", "-extfile", extensions, "-out", new_certificate)
        os.replace(new_key, key)
        os.replace(new_certificate, certificate)
        return certificate, key
