"""tls:// addresses of services, with clients that know nothing of rawgate: Python's ssl and `openssl s_client`."""

import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import unittest

from tests.conformance.exec_client import packed_request, receive_reply
from tests.conformance.file_client import download, upload
from tests.conformance.plain_client import receive_exactly
from tests.harness import rpc
from tests.harness.certificates import Authority
from tests.harness.deadlines import PATIENCE, wait_until
from tests.system.program_test import ProgramTest


class TlsTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.stack.directory)
        self.certificate, self.key = self.authority.issue("server")

    def flags(self, *more):
        return [f"--tls_certificate={self.certificate}", f"--tls_key={self.key}", *more]

    def mutual(self, *more):
        return self.flags(f"--tls_client_ca={self.authority.certificate}", *more)

    def context(self, identity=None):
        context = ssl.create_default_context(cafile=self.authority.certificate)
        if identity is not None:
            context.load_cert_chain(*identity)
        return context

    def connect(self, address, context=None):
        raw = socket.create_connection(address, timeout=PATIENCE)
        client = (context or self.context()).wrap_socket(raw, server_hostname="localhost")
        self.addCleanup(client.close)
        return client


class ServicesTest(TlsTest):
    def test_echo(self):
        program = self.stack.start_service("echo", *self.flags(), listeners=["tcp=tls://127.0.0.1:0", "tcp=tcp://127.0.0.1:0"])
        self.assertTrue(program.ready["listeners"][0]["address"].startswith("tls://127.0.0.1:"))
        client = self.connect(program.address("tcp"))
        client.sendall(b"over tls")
        self.assertEqual(receive_exactly(client, 8), b"OVER TLS")
        self.assertIn(client.version(), ("TLSv1.2", "TLSv1.3"))

        control = rpc.Client(program.rpc_target)
        self.addCleanup(control.close)
        rows = control.control.ListConnections(rpc.control.ListConnectionsRequest(service="echo"), timeout=PATIENCE).connections
        self.assertEqual([(row.listener, row.transport) for row in rows], [("tcp", rpc.control.TRANSPORT_TLS)])
        self.assertEqual(rows[0].peer, "tls://127.0.0.1:%d" % client.getsockname()[1])
        # Our close_notify, answered by theirs.
        client.unwrap()
        wait_until(lambda: control.listener("echo", "tcp").counters.connections_open == 0, "the end of the connection")
        # Plain listeners beside it are what they were.
        with socket.create_connection(program.address("tcp-2"), timeout=PATIENCE) as plain:
            plain.sendall(b"plain")
            self.assertEqual(receive_exactly(plain, 5), b"PLAIN")

    def test_exec(self):
        program = self.stack.start_service("exec", *self.flags(), listeners=["framed=tls://127.0.0.1:0", "raw=tls://127.0.0.1:0"])
        client = self.connect(program.address("framed"))
        client.sendall(packed_request(command="cat; echo there >&2", stdin=b"from stdin "))
        header, body = receive_reply(client)
        self.assertEqual((header["exit_code"], body), (0, b"from stdin there\n"))
        # Much more than any buffer holds, by sendfile from where it was kept.
        client.sendall(packed_request(command="head -c 30000000 /dev/zero"))
        header, body = receive_reply(client)
        self.assertEqual((header["total_size"], body.count(0)), (30_000_000, 30_000_000))
        raw = self.connect(program.address("raw"))
        raw.sendall(b"echo $((6*7))\n")
        self.assertEqual(receive_exactly(raw, 3), b"42\n")

    def test_foreign_users_are_refused_by_exec_over_tls_too(self):
        program = self.stack.start_service("exec", *self.flags(), listeners=["raw=tls://127.0.0.1:0"])
        script = ("import socket,ssl,sys; c=ssl.create_default_context(cafile=sys.argv[1]); "
                  "s=c.wrap_socket(socket.create_connection(('127.0.0.1', int(sys.argv[2]))), server_hostname='localhost'); "
                  "s.sendall(b'echo in\\n'); print(s.recv(10))")
        foreign = subprocess.run(["setpriv", "--reuid=65533", "--clear-groups", "/usr/bin/python3", "-c", script,
                                  str(self.authority.certificate), str(program.address("raw")[1])],
                                 capture_output=True, timeout=PATIENCE, check=False)
        self.assertNotIn(b"in", foreign.stdout)

    def test_file_up_and_down(self):
        program = self.stack.start_service("file", *self.flags(), listeners=["tcp=tls://127.0.0.1:0"])
        client = self.connect(program.address("tcp"))
        content = os.urandom(20_000_003)
        self.assertEqual(upload(client, "big", content)["status"], "ok")
        self.assertEqual((self.stack.file_root / "big").read_bytes(), content)
        reply, received = download(client, "big")
        self.assertEqual((reply["status"], received), ("ok", content))

    def test_classic_upload_that_just_closes(self):
        program = self.stack.start_service("file", *self.flags(), listeners=["tcp=tls://127.0.0.1:0"])
        client = self.connect(program.address("tcp"))
        header = json.dumps({"filename": "classic", "filesize": 100_000}).encode()
        client.sendall(struct.pack("<i", len(header)) + header + b"c" * 100_000)
        client.close()
        stored = self.stack.file_root / "classic"
        wait_until(lambda: stored.exists() and stored.read_bytes() == b"c" * 100_000, "the uploaded file")

    def test_half_an_upload_that_just_closes_is_none(self):
        program = self.stack.start_service("file", *self.flags(), listeners=["tcp=tls://127.0.0.1:0"])
        client = self.connect(program.address("tcp"))
        header = json.dumps({"filename": "half", "filesize": 100_000}).encode()
        client.sendall(struct.pack("<i", len(header)) + header + b"c" * 50_000)
        client.close()
        control = rpc.Client(program.rpc_target)
        self.addCleanup(control.close)
        wait_until(lambda: control.listener("file", "tcp").counters.connections_opened == 1 and
                   control.listener("file", "tcp").counters.connections_open == 0, "the end of the connection")
        self.assertFalse((self.stack.file_root / "half").exists())

    def test_openssl_s_client(self):
        program = self.stack.start_service("echo", *self.flags(), listeners=["tcp=tls://127.0.0.1:0"])
        host, port = program.address("tcp")
        client = subprocess.Popen(
            ["openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", self.authority.certificate,
             "-verify_hostname", "localhost", "-connect", f"{host}:{port}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        client.stdin.write(b"from s_client\n")
        client.stdin.flush()
        self.assertEqual(client.stdout.readline(), b"FROM S_CLIENT\n")
        client.stdin.close()
        client.stdout.close()


class ClientCertificatesTest(TlsTest):
    LISTENERS = ["tcp=tls://127.0.0.1:0", "tcp=tls://127.0.0.1:0?client_certificates=require",
                 "tcp=tls://127.0.0.1:0?client_certificates=none"]

    def served(self, address, identity=None):
        try:
            client = self.connect(address, self.context(identity))
            client.sendall(b"a")
            return receive_exactly(client, 1) == b"A"
        except (ssl.SSLError, ConnectionError, EOFError, AssertionError):
            return False

    def test_each_listener_asks_as_it_says(self):
        program = self.stack.start_service("echo", *self.mutual(), listeners=self.LISTENERS)
        ours = self.authority.issue("client", ["URI:urn:test:client"])
        theirs = Authority(self.stack.directory, "stranger").issue("impostor", ["URI:urn:test:client"])
        expected = {"tcp": (True, True, False), "tcp-2": (False, True, False), "tcp-3": (True, True, True)}
        for listener, who in expected.items():
            address = program.address(listener)
            with self.subTest(listener=listener):
                self.assertEqual((self.served(address), self.served(address, ours), self.served(address, theirs)), who)

    def test_exec_off_loopback_needs_certificates(self):
        listen = "--listen=raw=tls://0.0.0.0:0"
        usual = ["--rpc_listen=tcp://127.0.0.1:0", f"--work_dir={self.stack.scratch}"]
        refused = self.run_to_end("exec", listen, *usual, *self.mutual())
        self.assertEqual(refused.returncode, 1)
        self.assertIn(b"client_certificates=require", refused.stderr)
        program = self.stack.start_service("exec", *self.mutual(), listeners=["raw=tls://0.0.0.0:0?client_certificates=require"])
        self.assertTrue(program.alive())

    def test_flags_that_do_not_go_together(self):
        for flags, word in (([], "--tls_certificate"),
                            ([f"--tls_certificate={self.certificate}"], "together"),
                            (self.flags("--tls_client_certificates=require"), "--tls_client_ca"),
                            (self.flags("--tls_client_certificates=maybe"), "none, request or require"),
                            ([f"--tls_certificate={self.certificate}", f"--tls_key={self.authority.key}"], "not the certificate's")):
            with self.subTest(flags=flags):
                result = self.run_to_end("echo", "--listen=tcp=tls://127.0.0.1:0", "--rpc_listen=tcp://127.0.0.1:0", *flags)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(word, result.stderr.decode())


class LifeTest(TlsTest):
    def test_certificate_changes_under_live_connections(self):
        program = self.stack.start_service("echo", *self.flags(), listeners=["tcp=tls://127.0.0.1:0"])
        old = self.connect(program.address("tcp"))
        first = old.getpeercert(True)
        self.authority.issue("server")
        wait_until(lambda: self.connect(program.address("tcp")).getpeercert(True) != first, "the new certificate")
        old.sendall(b"still here")
        self.assertEqual(receive_exactly(old, 10), b"STILL HERE")
        # Half a certificate changes nothing.
        second = self.connect(program.address("tcp")).getpeercert(True)
        text = self.certificate.read_text()
        self.certificate.write_text(text[:len(text) // 2])

        def bad_file_was_read():
            # Files are looked at when somebody connects.
            self.assertEqual(self.connect(program.address("tcp")).getpeercert(True), second)
            return "stays in use" in program.log_path.read_text()
        wait_until(bad_file_was_read, "word of the bad file")
        self.assertEqual(self.connect(program.address("tcp")).getpeercert(True), second)

    def test_stop_says_goodbye(self):
        program = self.stack.start_service("echo", *self.flags(), listeners=["tcp=tls://127.0.0.1:0"])
        client = self.connect(program.address("tcp"), self.strict())
        client.sendall(b"x")
        self.assertEqual(receive_exactly(client, 1), b"X")
        program.process.send_signal(signal.SIGTERM)
        # Without close_notify this would raise.
        self.assertEqual(client.recv(1), b"")
        program.expect_exit(0)
        self.stack.programs.clear()

    def strict(self):
        context = self.context()
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        return context


if __name__ == "__main__":
    unittest.main()
