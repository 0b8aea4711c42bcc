"""The socket units, and those of exec, under a systemd that has booted."""

import json
import unittest

from tests.deploy.booted import RAW, MachineTest, ask, connect, exchange, send, upload_request
from tests.deploy.debian_root import require_debootstrap
from tests.deploy.machine import require_boot
from tests.harness.deadlines import wait_until
from tests.harness.durability import skip_test
from tests.harness.network_namespace import Wire

# Packets that a filter drops are answered by nothing, so the client's patience is all there is to wait for.
REFUSED_WITHIN_S = 2


def setUpModule():
    require_debootstrap()
    require_boot()


class SocketTest(MachineTest):
    def test_the_first_client_starts_a_service(self):
        self.stop_all()
        self.machine.systemctl("start", *(f"rawgate-{name}.socket" for name in RAW))
        self.assertEqual([self.machine.state(f"rawgate-{name}.service") for name in RAW], ["inactive"] * len(RAW))
        self.assertEqual(self.call(exchange, 8080, b"hello", "::1"), b"HELLO")
        self.assertEqual(self.call(ask, 9000, b"first"), b"first")
        reply = self.call(exchange, 8090, upload_request("first.txt", b"first"))
        self.assertEqual(json.loads(reply[4:])["status"], "ok")
        self.assert_active("echo", "time", "file")
        self.assertEqual(self.machine.state("rawgate-chat.service"), "inactive")
        # By datagram, too.
        self.machine.systemctl("stop", "rawgate-echo.service")
        self.assertEqual(self.call(ask, 8080, b"hello"), b"hi")

    def test_a_listener_that_is_stopped_refuses_and_comes_back(self):
        self.rawgate("stop", "echo/tcp")
        with self.assertRaises(OSError):
            self.call(exchange, 8080, b"hello")
        self.rawgate("start", "echo/tcp")
        self.assertEqual(self.call(exchange, 8080, b"hello"), b"HELLO")

    def test_a_restart_refuses_nobody(self):
        for _ in range(5):
            self.machine.systemctl("--no-block", "restart", "rawgate-echo.service")
            self.assertEqual(self.call(exchange, 8080, b"meanwhile"), b"MEANWHILE")
        self.await_state("rawgate-echo.service", "active")

    def test_another_address_is_said_to_both(self):
        self.settings("time", "RAWGATE_LISTEN=udp=udp://127.0.0.1:9001,daytime=tcp://127.0.0.1:13\n")
        addresses = "ListenDatagram=\nListenDatagram=127.0.0.1:9001\nListenStream=127.0.0.1:13\n"
        self.drop_in("rawgate-time.socket", f"[Socket]\n{addresses}")
        self.machine.systemctl("restart", "rawgate-time.socket")
        self.assertEqual(self.call(ask, 9001, b"there"), b"there")
        # A port below 1024 that a service without privileges could not bind.
        self.assertIn(b":", self.call(exchange, 13, b""))

    def test_a_socket_that_no_listener_wants_is_a_failure_that_says_so(self):
        self.drop_in("rawgate-time.socket", "[Socket]\nListenDatagram=127.0.0.1:9002\n")
        self.machine.systemctl("stop", "rawgate-time.service", "rawgate-time.socket")
        self.addCleanup(self.machine.systemctl, "stop", "rawgate-time.service", "rawgate-time.socket")
        self.machine.systemctl("start", "rawgate-time.service", check=False)
        self.assertNotEqual(self.machine.state("rawgate-time.service"), "active")
        self.assertIn("9002", self.machine.journal("rawgate-time.service"))

    def test_wrong_settings_are_not_tried_for_ever(self):
        """A client that waits has the service started whenever it has ended: up to the socket's TriggerLimitBurst=."""
        self.machine.systemctl("stop", "rawgate-time.service")
        self.settings("time", "RAWGATE_GRACE=no time\n")
        self.call(send, 9000, b"%H")
        self.await_state("rawgate-time.socket", "failed")
        self.assertEqual(self.machine.show("rawgate-time.socket", "Result"), "trigger-limit-hit")
        wait_until(lambda: self.machine.show("rawgate-time.service", "SubState") == "failed", "the end of the last attempt")
        self.assertEqual(self.machine.show("rawgate-time.service", "ExecMainStatus"), "2")
        # Once they are right, starting the service is enough.
        (self.machine.root / "etc/default/rawgate-time").write_text("RAWGATE_GRACE=5s\n")
        self.machine.systemctl("restart", "rawgate-time.service")
        self.assertEqual(self.machine.state("rawgate-time.socket"), "active")
        self.assertEqual(self.call(ask, 9000, b"again"), b"again")

    def test_off_loopback_nobody_is_let_in_before_the_unit_says_so(self):
        self.settings("echo", "RAWGATE_LISTEN=tcp=tcp://0.0.0.0:8080\nRAWGATE_ALLOW_INSECURE_BIND=true\n")
        self.machine.systemctl("mask", "--now", "--runtime", "rawgate-echo.socket")
        self.addCleanup(self.machine.systemctl, "unmask", "--runtime", "rawgate-echo.socket")
        self.machine.systemctl("restart", "rawgate-echo.service")
        if "does not support BPF" in self.machine.journal("rawgate-echo.service"):
            skip_test(self, "this kernel has no filter of addresses for cgroups (BPF)")
        with self.assertRaises(TimeoutError):
            self.elsewhere.call(connect, 8080, Wire.LEFT[0], REFUSED_WITHIN_S)
        self.drop_in("rawgate-echo.service", "[Service]\nIPAddressAllow=10.9.0.0/24\n")
        self.machine.systemctl("restart", "rawgate-echo.service")
        self.assertEqual(self.elsewhere.call(exchange, 8080, b"hello", Wire.LEFT[0]), b"HELLO")

    def test_a_socket_has_the_filter_of_its_service(self):
        self.settings("echo", "RAWGATE_LISTEN=tcp=tcp://10.9.0.1:8080\nRAWGATE_ALLOW_INSECURE_BIND=true\n")
        addresses = "ListenStream=\nListenDatagram=\nListenStream=10.9.0.1:8080\n"
        self.drop_in("rawgate-echo.socket", f"[Socket]\n{addresses}IPAddressAllow=10.9.0.0/24\n")
        self.drop_in("rawgate-echo.service", "[Service]\nIPAddressAllow=10.9.0.0/24\n")
        self.machine.systemctl("restart", "rawgate-echo.socket")
        self.assertEqual(self.elsewhere.call(exchange, 8080, b"hello", Wire.LEFT[0]), b"HELLO")

    def test_without_sockets_of_systemds(self):
        self.machine.systemctl("mask", "--now", "--runtime", "rawgate-echo.socket")
        self.addCleanup(self.machine.systemctl, "unmask", "--runtime", "rawgate-echo.socket")
        self.machine.systemctl("restart", "rawgate-echo.service")
        self.assertEqual(self.call(exchange, 8080, b"hello"), b"HELLO")
        self.machine.systemctl("stop", "rawgate-echo.service")
        with self.assertRaises(ConnectionRefusedError):
            self.call(connect, 8080)


class ExecTest(MachineTest):
    """Not enabled by the package; here by its administrator."""

    def setUp(self):
        super().setUp()
        self.machine.systemctl("enable", "--now", "rawgate-exec.service")

    def run_raw(self, command):
        return self.call(exchange, 8083, command.encode() + b"\n")[4:].decode()

    def test_commands_run_confined(self):
        self.assertEqual(self.run_raw("id -un"), "rawgate-exec\n")
        self.assertEqual(self.run_raw("for d in /etc /usr /var/lib /home /root; do touch $d/x 2>/dev/null && echo $d; done"), "")
        self.assertEqual(self.run_raw("ls /var/lib/rawgate/files 2>&1 | grep -c denied"), "1\n")
        self.assertEqual(self.run_raw("cd && pwd && touch here && ls here"), "/tmp\nhere\n")
        self.assertEqual(self.rawgate("run", "--", "sh", "-c", "echo typed"), "typed\n")
        confined = self.run_raw("grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status")
        self.assertEqual(confined.split(), ["NoNewPrivs:", "1", "Seccomp:", "2"])

    def test_others_of_the_machine_are_not_served_on_raw_ports(self):
        # `_apt`, who is there in every Debian.
        ask_as = "exec 3<>/dev/tcp/127.0.0.1/8083; echo id -un >&3; cat <&3"
        said = self.machine.run("setpriv", "--reuid", "_apt", "--clear-groups", "bash", "-c", ask_as, check=False)
        self.assertNotIn("rawgate-exec", said)
        self.assertIn("rawgate-exec", self.machine.run("bash", "-c", ask_as.replace("cat", "head -c 17")))

    def test_a_policy_is_read_again(self):
        path = self.machine.root / "etc/rawgate/exec-policy.textproto"
        before = path.read_text()
        self.addCleanup(lambda: (path.write_text(before), self.machine.systemctl("reload", "rawgate-exec.service")))
        pid = self.main_pid("exec")
        path.write_text('rules { name: "only this" programs { path: "/usr/bin/id" } }\n')
        self.machine.systemctl("reload", "rawgate-exec.service")
        wait_until(lambda: "policy" in self.run_raw("uname").lower(), "the refusal")
        self.assertTrue(self.run_raw("/usr/bin/id").startswith("uid="))
        self.assertEqual(self.main_pid("exec"), pid)

    def test_a_stop_ends_what_commands_have_started(self):
        with self.call(connect, 8082) as client:
            client.sendall(b"setsid -f sleep 1000; echo $$; exec sleep 1001\n")
            wait_until(lambda: "sleep" in self.machine.run("ps", "-eo", "comm"), "the commands")
            self.machine.systemctl("stop", "rawgate-exec.service")
        self.assertNotIn("sleep", self.machine.run("ps", "-eo", "comm"))
        self.assertEqual(self.machine.show("rawgate-exec.service", "Result"), "success")

    def test_in_landlock(self):
        self.settings("exec", "RAWGATE_SANDBOX=landlock\n")
        self.machine.systemctl("restart", "rawgate-exec.service")
        self.assertEqual(self.run_raw("touch /tmp/outside 2>/dev/null || echo kept inside"), "kept inside\n")
        self.assertEqual(self.run_raw("cd && touch here && ls"), "here\n")


if __name__ == "__main__":
    unittest.main()
