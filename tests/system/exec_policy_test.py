"""What a policy lets run, through every door: one table for raw ports and for typed calls, read again on SIGHUP."""

import re
import signal
import socket
import subprocess
import unittest

import grpc

from tests.conformance.exec_client import packed_request, receive_reply
from tests.conformance.plain_client import connect, receive_to_end
from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import Stack

POLICY = """
rules { name: "closed" sources: "127.0.0.3" refuse: true }
rules {
  name: "lookers"
  sources: "127.0.0.2"
  programs { path: "/bin/echo" further_arguments: "[a-z]*" }
  limits { timeout { seconds: 2 } output_bytes: 1000000 }
}
rules { name: "admins" least_role: ROLE_ADMIN any_command: true }
rules { name: "everybody" programs { path: "/bin/uname" arguments: "-s" } }
"""

stack = None
client = None


def policy_path():
    return stack.directory / "policy"


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    policy_path().write_text(POLICY)
    stack.start_service("exec", f"--policy={policy_path()}")
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def ask(listener, request, source="127.0.0.1"):
    """A reply's header and body, asked for from an address of this machine."""
    with socket.create_connection(stack.address("exec", listener), timeout=PATIENCE, source_address=(source, 0)) as it:
        it.sendall(request)
        return receive_reply(it)


def outcome_of(text):
    responses = list(client.exec.Run(rpc.exec_.RunRequest(shell_command=text), timeout=PATIENCE))
    return responses[-1].outcome


class PolicyTest(unittest.TestCase):
    def assert_refused(self, header):
        self.assertEqual(header["error"]["code"], "POLICY_REFUSED")

    def test_a_program_runs_for_all(self):
        for source in ("127.0.0.1", "127.0.0.9"):
            self.assertEqual(ask("header", b"uname -s\n", source)[1], b"Linux\n")
            self.assertEqual(ask("framed", packed_request(argv=["/bin/uname", "-s"]), source)[1], b"Linux\n")

    def test_other_arguments_and_shells_are_refused_on_every_raw_port(self):
        for text in ("uname -r", "uname -s; id", "sh", "uname -s > /tmp/x"):
            with self.subTest(text=text):
                self.assert_refused(ask("header", text.encode() + b"\n")[0])
                self.assert_refused(ask("framed", packed_request(command=text))[0])
                with connect(stack.address("exec", "raw")) as raw:
                    raw.sendall(text.encode() + b"\n")
                    self.assertRegex(receive_to_end(raw), rb"^rawgate-exec: no rule of the policy lets tcp://127\.0\.0\.1")

    def test_a_refusal_leaves_the_framed_connection_usable(self):
        with connect(stack.address("exec", "framed")) as framed:
            framed.sendall(packed_request(argv=["id"]) + packed_request(argv=["uname", "-s"]))
            self.assert_refused(receive_reply(framed)[0])
            self.assertEqual(receive_reply(framed)[1], b"Linux\n")

    def test_sources_have_rules_of_their_own(self):
        self.assertEqual(ask("header", b"echo hi\n", "127.0.0.2")[1], b"hi\n")
        self.assert_refused(ask("header", b"echo Hi\n", "127.0.0.2")[0])
        self.assert_refused(ask("header", b"echo hi\n", "127.0.0.1")[0])
        self.assertIn('"closed" refuses', ask("header", b"uname -s\n", "127.0.0.3")[0]["error"]["message"])

    def test_what_could_change_the_program_is_refused(self):
        for rest in ({"env": {"LD_PRELOAD": "/tmp/x.so"}}, {"env": {"PATH": "/tmp"}}, {"cwd": "/tmp"}):
            with self.subTest(rest=rest):
                self.assert_refused(ask("framed", packed_request(argv=["uname", "-s"], **rest))[0])

    def test_limits_are_the_rules(self):
        header, _ = ask("framed", packed_request(argv=["echo", "hi"], timeout_ms=3000), "127.0.0.2")
        self.assertEqual(header["error"]["code"], "BAD_TIMEOUT")

    def test_typed_calls_have_roles_and_the_same_table(self):
        self.assertEqual(outcome_of("exit 7").exited.code, 7)
        with rpc.grpc.insecure_channel(stack.programs["exec"].rpc_target) as direct:
            stub = rpc.exec_service_pb2_grpc.ExecServiceStub(direct)
            for role, answer in (("admin", None), ("operator", "POLICY_REFUSED"), ("nonsense", "POLICY_REFUSED")):
                request = rpc.exec_.RunRequest(shell_command="id")
                metadata = [("x-rawgate-role", role)]
                if answer is None:
                    self.assertTrue(list(stub.Run(request, metadata=metadata, timeout=PATIENCE))[-1].HasField("outcome"))
                    continue
                code, reason, _ = rpc.error_of(stub.Run, request, metadata=metadata)
                self.assertEqual((code, reason), (grpc.StatusCode.PERMISSION_DENIED, answer))

    def test_what_a_rule_lets_in_is_for_those_that_it_is_for(self):
        """Neither telling a job something nor repeating its request is a way round the table."""
        with rpc.grpc.insecure_channel(stack.programs["exec"].rpc_target) as direct:
            stub = rpc.exec_service_pb2_grpc.ExecServiceStub(direct)
            admin, viewer = ([("x-rawgate-role", role)] for role in ("admin", "viewer"))
            call = stub.Run(rpc.exec_.RunRequest(shell_command="read line; echo $line", keep_stdin_open=True),
                            metadata=admin, timeout=PATIENCE)
            job_id = next(call).started.job_id
            for method, request in (
                    (stub.WriteStdin, rpc.exec_.WriteStdinRequest(job_id=job_id, data=b"id\n")),
                    (stub.SignalJob, rpc.exec_.SignalJobRequest(job_id=job_id, signal=rpc.exec_.SIGNAL_KILL)),
                    (stub.ResizeTerminal, rpc.exec_.ResizeTerminalRequest(job_id=job_id)),
                    (stub.Attach, rpc.exec_.AttachRequest(job_id=job_id))):
                code, reason, _ = rpc.error_of(method, request, metadata=viewer)
                self.assertEqual((code, reason), (grpc.StatusCode.PERMISSION_DENIED, "POLICY_REFUSED"), request)
            stub.WriteStdin(rpc.exec_.WriteStdinRequest(job_id=job_id, data=b"mine\n"), metadata=admin, timeout=PATIENCE)
            self.assertEqual([event.output.data for event in call if event.HasField("output")], [b"mine\n"])

            request = rpc.exec_.RunRequest(argv=rpc.exec_.Argv(arguments=["/bin/uname", "-s"]), request_id="the same")
            list(stub.Run(request, metadata=admin, timeout=PATIENCE))
            code, reason, _ = rpc.error_of(stub.Run, request, metadata=viewer)
            self.assertEqual((code, reason), (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED"))

    def test_a_client_of_the_gateway_cannot_choose_its_role(self):
        policy_path().write_text('rules { name: "nobody" refuse: true }')
        self.reload()
        wait_until(lambda: self.refused("true"), "the policy to refuse")
        code, reason, _ = rpc.error_of(client.exec.Run, rpc.exec_.RunRequest(shell_command="id"),
                                       metadata=[("x-rawgate-peer", "unix:///x"), ("x-rawgate-role", "admin")])
        self.assertEqual((code, reason), (grpc.StatusCode.PERMISSION_DENIED, "POLICY_REFUSED"))
        self.restore()

    def test_hangup_reads_it_again_and_a_bad_one_changes_nothing(self):
        policy_path().write_text('rules {\n  name: "x"\n  any_comand: true\n}\n')
        self.reload()
        wait_until(lambda: re.search(r"policy:3:\d+: .*any_comand", stack.programs["exec"].log_path.read_text()),
                   "the fault in the log, with its line")
        self.assertEqual(outcome_of("exit 7").exited.code, 7)
        self.assertTrue(self.refused("id", typed=False))
        policy_path().write_text('rules { name: "x" any_command: true }')
        self.reload()
        wait_until(lambda: not self.refused("id", typed=False), "the new policy")
        self.restore()

    def refused(self, text, typed=True):
        if not typed:
            return "error" in ask("header", text.encode() + b"\n")[0]
        try:
            outcome_of(text)
        except grpc.RpcError:
            return True
        return False

    def reload(self):
        stack.programs["exec"].process.send_signal(signal.SIGHUP)

    def restore(self):
        policy_path().write_text(POLICY)
        self.reload()
        wait_until(lambda: not self.refused("true") and self.refused("id", typed=False), "the usual policy")


class StartTest(unittest.TestCase):
    def start(self, *flags):
        return subprocess.run([BIN_DIR / "rawgate-exec", "--listen=raw=tcp://127.0.0.1:0", "--rpc_listen=tcp://127.0.0.1:0",
                               *flags], env=clean_environment(), timeout=PATIENCE, capture_output=True, text=True, check=False)

    def test_a_bad_policy_is_an_error_with_its_line(self):
        path = stack.directory / "bad"
        path.write_text('rules { name: "x" any_command: true }\nrules { name: "x" refuse: true }\n')
        ended = self.start(f"--policy={path}")
        self.assertEqual(ended.returncode, 1)
        self.assertIn(f'{path}:2:9: another rule is named "x"', ended.stderr)

    def test_a_policy_that_is_not_there(self):
        ended = self.start("--policy=/no/such/policy")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("--policy=/no/such/policy: No such file or directory", ended.stderr)

    def test_a_sandbox_that_the_system_does_not_give_is_an_error(self):
        """Here since the commands' user may not enter the folder; a kernel without Landlock fails in the same way."""
        closed = stack.directory / "closed"
        closed.mkdir(mode=0o700)
        ended = self.start("--sandbox=landlock", f"--work_dir={closed}", "--run_as=nobody")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("sandbox landlock as nobody does not work here", ended.stderr)
