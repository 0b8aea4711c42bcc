"""The programs as their operator meets them: ready line, flags and where they come from, signals, refusals to start."""

import os
import signal
import subprocess
import unittest

from tests.conformance.plain_client import connect, receive_exactly, receive_size, refuses
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.processes import read_pids, wait_for_exit_of
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import LISTENERS, Stack

SERVICES = sorted(LISTENERS)


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)

    def run_to_end(self, name, *flags):
        """For programs that must refuse to start, or only print something."""
        return subprocess.run([BIN_DIR / f"rawgate-{name}", *flags], capture_output=True, timeout=PATIENCE,
                              env=clean_environment(), cwd=self.stack.directory)


class ReadyLineTest(ProgramTest):
    def test_ready_line_of_every_service(self):
        for name in SERVICES:
            with self.subTest(service=name):
                ready = self.stack.start_service(name).ready
                self.assertEqual(set(ready), {"ready", "pid", "rpc", "listeners"})
                self.assertEqual((ready["ready"], ready["pid"]), (name, self.stack.programs[name].pid))
                self.assertRegex(ready["rpc"], r"^tcp://127\.0\.0\.1:[1-9]\d*$")
                for listener in ready["listeners"]:
                    self.assertRegex(listener["address"], r"^(tcp|udp)://(127\.0\.0\.1|\[::1\]):[1-9]\d*$")

    def test_ready_line_of_the_gateway(self):
        self.stack.start_service("echo")
        ready = self.stack.start_gateway().ready
        self.assertEqual(set(ready), {"ready", "pid", "listeners"})
        self.assertEqual(ready["ready"], "gateway")
        self.assertEqual([listener["name"] for listener in ready["listeners"]], ["grpc"])

    def test_a_name_given_again_is_numbered(self):
        program = self.stack.start_service("echo", listeners=["tcp=tcp://127.0.0.1:0"] * 3)
        self.assertEqual([listener["name"] for listener in program.ready["listeners"]], ["tcp", "tcp-2", "tcp-3"])


class FlagTest(ProgramTest):
    """--udp_reply and --transform are ordinary flags; what they do is easily seen."""

    def echo_of(self, *flags, environment=None):
        program = self.stack.start_service("echo", *flags, environment=environment)
        with connect(program.address("tcp")) as client:
            client.sendall(b"a")
            answer = receive_exactly(client, 1)
        self.stack.programs.pop("echo").stop()
        return answer

    def test_flag_wins_over_environment_wins_over_flagfile(self):
        flagfile = self.stack.directory / "flags"
        flagfile.write_text("--transform=identity\n")
        from_file, from_environment = f"--flagfile={flagfile}", {"RAWGATE_TRANSFORM": "upper"}
        self.assertEqual(self.echo_of(), b"A")
        self.assertEqual(self.echo_of(from_file), b"a")
        self.assertEqual(self.echo_of(from_file, environment=from_environment), b"A")
        self.assertEqual(self.echo_of("--transform=identity", environment=from_environment), b"a")

    def test_environment_alone(self):
        self.assertEqual(self.echo_of(environment={"RAWGATE_TRANSFORM": "identity"}), b"a")

    def test_bad_flags_are_refused_in_a_line_and_with_status_2(self):
        for flags in (["--listen=tcp=nonsense"], ["--listen=nosuch=tcp://127.0.0.1:0"], ["--listen=tcp=tcp://127.0.0.1:65536"], ["--grace=soon"],
                      ["--no_such_flag=1"], ["--transform=sideways"], ["--connections_max=-1"]):
            with self.subTest(flags=flags):
                result = self.run_to_end("echo", "--rpc_listen=tcp://127.0.0.1:0", *flags)
                self.assertEqual((result.returncode, result.stdout), (2, b""), result.stderr)
                self.assertTrue(result.stderr)

    def test_bad_flags_of_the_gateway(self):
        for flags in (["--listen=grpc=udp://127.0.0.1:0"], ["--listen="], ["--unary_ceiling=0"], ["--unary_ceiling=-1s"],
                      ["--backends=echo"]):
            with self.subTest(flags=flags):
                result = self.run_to_end("gateway", *flags)
                self.assertEqual((result.returncode, result.stdout), (2, b""), result.stderr)
                self.assertTrue(result.stderr)

    def test_help_names_the_flags(self):
        for name in [*SERVICES, "gateway"]:
            with self.subTest(program=name):
                result = self.run_to_end(name, "--help")
                self.assertIn(b"listen", result.stdout + result.stderr)


class RefusalTest(ProgramTest):
    def test_address_that_is_taken(self):
        taken = self.stack.start_service("echo").ready["listeners"][0]["address"]
        result = self.run_to_end("echo", f"--listen=tcp={taken}", "--rpc_listen=tcp://127.0.0.1:0")
        self.assertEqual((result.returncode, result.stdout), (1, b""))
        self.assertIn(taken.removeprefix("tcp://").encode(), result.stderr)

    def test_a_service_without_an_address_for_the_gateway(self):
        result = self.run_to_end("echo", "--listen=tcp=tcp://127.0.0.1:0", "--rpc_listen=")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(b"--rpc_listen is needed", result.stderr)

    def test_exec_and_file_refuse_to_serve_off_loopback(self):
        for name, listener in (("exec", "raw"), ("file", "tcp")):
            for host in ("0.0.0.0", "[::]"):
                with self.subTest(service=name, host=host):
                    result = self.run_to_end(name, f"--listen={listener}=tcp://{host}:0",
                                             "--rpc_listen=tcp://127.0.0.1:0", f"--root={self.stack.file_root}"
                                             if name == "file" else "--grace=1s")
                    self.assertEqual((result.returncode, result.stdout), (1, b""), result.stderr)
                    self.assertIn(b"allow_insecure_bind", result.stderr)

    def test_unless_told_to(self):
        program = self.stack.start_service("file", "--allow_insecure_bind", listeners=["tcp=tcp://0.0.0.0:0"])
        connect(("127.0.0.1", program.address("tcp")[1])).close()


class SignalTest(ProgramTest):
    def test_sigint_ends_as_cleanly_as_sigterm(self):
        for name in SERVICES:
            with self.subTest(service=name):
                self.stack.start_service(name)
                program = self.stack.programs.pop(name)
                program.process.send_signal(signal.SIGINT)
                program.expect_exit(0)

    def start_long_command(self, program):
        """A connection whose command would go on for ever, and the command's pids."""
        pids = self.stack.scratch / "pids"
        client = connect(program.address("sized"))
        self.addCleanup(client.close)
        client.sendall(b"echo $$ >> %s; sleep 1000; sleep 1000\n" % bytes(pids))
        return client, read_pids(pids, 1)

    def test_request_in_progress_is_finished_within_the_grace(self):
        gate, started = self.stack.scratch / "gate", self.stack.scratch / "started"
        self.stack.start_service("exec", "--grace=1h")
        program = self.stack.programs.pop("exec")
        with connect(program.address("sized")) as client:
            client.sendall(b"touch %s; until [ -e %s ]; do sleep 0.01; done; echo done\n"
                           % (bytes(started), bytes(gate)))
            wait_until(started.exists, "the start of the command")
            program.process.send_signal(signal.SIGTERM)
            wait_until(lambda: refuses(program.address("sized")), "refusal of new clients")
            gate.touch()
            self.assertEqual(receive_exactly(client, receive_size(client)), b"done\n")
        program.expect_exit(0)

    def test_what_outlasts_the_grace_is_ended(self):
        self.stack.start_service("exec", "--grace=200ms")
        program = self.stack.programs.pop("exec")
        _, pids = self.start_long_command(program)
        program.process.send_signal(signal.SIGTERM)
        program.expect_exit(0)
        for pid in pids:
            wait_for_exit_of(pid)

    def test_second_signal_ends_at_once(self):
        self.stack.start_service("exec", "--grace=1h")
        program = self.stack.programs.pop("exec")
        _, pids = self.start_long_command(program)
        program.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses(program.address("sized")), "refusal of new clients")
        program.process.send_signal(signal.SIGTERM)
        program.expect_exit(143, -signal.SIGTERM)  # to a shell they are the same
        for pid in pids:
            wait_for_exit_of(pid)


class UserTest(ProgramTest):
    @unittest.skipUnless(os.geteuid() == 0, "only root can start commands as somebody else")
    def test_commands_of_a_root_service_run_as_nobody(self):
        program = self.stack.start_service("exec")
        with connect(program.address("sized")) as client:
            client.sendall(b"id -un; id -Gn; id -u\n")
            name, groups, uid = receive_exactly(client, receive_size(client)).decode().split()
        self.assertEqual((name, groups), ("nobody", "nogroup"))
        self.assertNotEqual(uid, "0")

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else to try")
    def test_other_local_users_are_refused(self):
        program = self.stack.start_service("exec")
        marker = self.stack.scratch / "stranger-was-here"
        script = ("import socket,sys; s=socket.create_connection((sys.argv[1],int(sys.argv[2])),60);"
                  "s.sendall(sys.argv[3].encode()); sys.stdout.write(repr(s.recv(100)))")
        result = subprocess.run(
            ["/usr/bin/python3", "-c", script, *map(str, program.address("raw")), f"touch {marker}\n"],
            capture_output=True, timeout=PATIENCE, user="daemon", group="daemon", extra_groups=[])
        self.assertIn(b"ConnectionResetError" if result.returncode else b"b''", result.stderr + result.stdout)
        self.assertFalse(marker.exists())

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else to try")
    def test_other_local_users_are_refused_though_they_are_gone_at_once(self):
        """After a FIN and a reset the kernel does not tell the peer's address, but what it sent can be read."""
        program = self.stack.start_service("exec")
        marker = self.stack.scratch / "ghost-was-here"
        script = ("import socket,struct,sys\n"
                  "for _ in range(2000):\n"
                  "  s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack('ii',1,0))\n"
                  "  s.connect((sys.argv[1],int(sys.argv[2])))\n"
                  "  try: s.send(sys.argv[3].encode()); s.shutdown(socket.SHUT_WR)\n"
                  "  except OSError: pass  # it was seen alive, and refused\n"
                  "  s.close()\n")
        subprocess.run(["/usr/bin/python3", "-c", script, *map(str, program.address("raw")), f"touch {marker}\n"],
                       check=True, timeout=PATIENCE, user="daemon", group="daemon", extra_groups=[])
        with connect(program.address("sized")) as client:  # served after all of those
            client.sendall(b"echo served\n")
            self.assertEqual(receive_exactly(client, receive_size(client)), b"served\n")
        self.assertFalse(marker.exists())


if __name__ == "__main__":
    unittest.main()
