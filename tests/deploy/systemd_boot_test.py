"""The units under a systemd that has booted, as the packages install them: start, readiness, watchdog, crash, drain."""

import json
import os
import unittest

from tests.deploy.booted import ENABLED, RAW, MachineTest, ask, connect, exchange, upload_request, write_to_the_desk
from tests.deploy.debian_root import require_debootstrap
from tests.deploy.machine import require_boot
from tests.harness.deadlines import wait_until

METRICS = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def setUpModule():
    require_debootstrap()
    require_boot()


class StartTest(MachineTest):
    def test_installing_enables_and_starts_all_but_exec(self):
        for name in ENABLED:
            self.assertEqual(self.machine.systemctl("is-enabled", f"rawgate-{name}.service"), "enabled")
        self.assert_active(*ENABLED)
        for kind in ("service", "socket"):
            self.assertEqual(self.machine.systemctl("is-enabled", f"rawgate-exec.{kind}", check=False), "disabled")
            self.assertEqual(self.machine.state(f"rawgate-exec.{kind}"), "inactive")
        self.assertEqual(self.machine.systemctl("--failed", "--no-legend"), "")

    def test_every_raw_port_answers(self):
        for host in ("127.0.0.1", "::1"):
            self.assertEqual(self.call(exchange, 8080, b"hello", host), b"HELLO")
            self.assertEqual(self.call(ask, 8080, b"hello", host), b"hi")
            self.assertEqual(self.call(ask, 9000, b"still", host), b"still")
            self.assertEqual(json.loads(self.call(exchange, 8090, upload_request("raw.txt", b"raw"), host)[4:])["status"], "ok")

    def test_the_gateway_reaches_every_service(self):
        wait_until(lambda: self.running() == set(RAW), "all services at the gateway")
        self.assertEqual(self.rawgate("echo", "hello").strip(), "HELLO")
        self.rawgate("put", "/etc/debian_version", "--to", "typed.txt")
        got = self.rawgate("get", "typed.txt", "--output", "-")
        self.assertEqual(got, (self.machine.root / "etc/debian_version").read_text())

    def test_no_service_needs_what_its_filter_forbids(self):
        """With MachineTest.STRICT."""
        self.rawgate("date")
        self.rawgate("date", "--watch", "--count", "1", "--interval", "100ms")
        self.rawgate("put", "-r", "/usr/share/common-licenses", "--to", "folder")
        self.rawgate("mv", "folder/GPL-3", "folder/moved")
        self.rawgate("rm", "-r", "folder")
        content = os.urandom(8 << 20)
        for digests in ({}, {"compute_md5": True, "compute_sha256": True}, {"upload_id": "resumable"}):
            reply = self.call(exchange, 8090, upload_request("large.bin", content, **digests))
            self.assertEqual(json.loads(reply[4:])["status"], "ok")
        self.call(write_to_the_desk, b"is anybody there?")
        wait_until(lambda: "chat/udp" in self.rawgate("connections"), "the session")
        self.machine.run("sh", "-c", "echo yes | rawgate chat")
        for port in (50071, 50073, 50074, 50075, 8088):
            self.assertIn(b"process_start_time_seconds", self.call(exchange, port, METRICS))
        for name in ENABLED:
            self.assertEqual(self.machine.show(f"rawgate-{name}.service", "NRestarts"), "0", self.machine.journal(f"rawgate-{name}"))

    def test_ready_and_says_so(self):
        for name in ENABLED:
            unit = f"rawgate-{name}.service"
            self.assertEqual(self.machine.show(unit, "Type"), "notify")
            self.assertNotEqual(self.machine.show(unit, "StatusText"), "", unit)

    def test_state_belongs_to_users_of_their_own(self):
        for folder, owner in (("files", "rawgate-file"), ("chat", "rawgate-chat")):
            self.assertEqual(self.machine.run("stat", "-c", "%U %a", f"/var/lib/rawgate/{folder}").split(), [owner, "700"])
        for name in ENABLED:
            self.assertNotEqual(self.machine.run("stat", "-c", "%u", f"/proc/{self.main_pid(name)}").strip(), "0")


class EndTest(MachineTest):
    def last_told(self, name):
        """When the watchdog was last told that all is well, in microseconds."""
        return int(self.machine.show(f"rawgate-{name}.service", "WatchdogTimestampMonotonic"))

    def test_the_watchdog_restarts_what_does_not_answer(self):
        self.drop_in("rawgate-echo.service", "[Service]\nWatchdogSec=2s\n")
        self.machine.systemctl("restart", "rawgate-echo.service")
        frozen = self.main_pid("echo")
        # It lives while it answers: for several times the watchdog's patience.
        started = self.last_told("echo")
        wait_until(lambda: self.last_told("echo") > started + 6_000_000, "WATCHDOG=1, again and again")
        self.assertEqual(self.main_pid("echo"), frozen)
        self.machine.run("kill", "-STOP", frozen)
        wait_until(lambda: self.main_pid("echo") not in (0, frozen), "another process")
        self.await_state("rawgate-echo.service", "active")
        self.assertIn("rawgate-echo.service: Watchdog timeout", self.machine.journal("rawgate-echo.service"))
        self.assertEqual(self.call(exchange, 8080, b"again"), b"AGAIN")

    def test_a_crash_is_followed_by_a_start(self):
        for name in ENABLED:
            killed = self.main_pid(name)
            self.machine.run("kill", "-KILL", killed)
            wait_until(lambda name=name, killed=killed: self.main_pid(name) not in (0, killed), f"another rawgate-{name}")
            self.await_state(f"rawgate-{name}.service", "active")

    def test_wrong_settings_are_not_tried_again_and_again(self):
        self.settings("time", "RAWGATE_GRACE=soon\n")
        self.machine.systemctl("restart", "rawgate-time.service", check=False)
        self.await_state("rawgate-time.service", "failed")
        self.assertEqual(self.machine.show("rawgate-time.service", "ExecMainStatus"), "2")

    def test_stop_drains_and_ends_well(self):
        content = os.urandom(1 << 20)
        request = upload_request("drained.bin", content)
        with self.call(connect, 8090) as client:
            client.sendall(request[:-1])
            stored = self.machine.root / "var/lib/rawgate/files"
            wait_until(lambda: "file/tcp" in self.rawgate("connections"), "the upload")
            self.machine.systemctl("--no-block", "stop", "rawgate.target")
            self.await_state("rawgate-file.service", "deactivating")
            client.sendall(request[-1:])
            reply = client.recv(65536)
        self.assertEqual(json.loads(reply[4:])["status"], "ok")
        for name in ENABLED:
            unit = f"rawgate-{name}.service"
            self.await_state(unit, "inactive")
            self.assertEqual(self.machine.show(unit, "Result"), "success")
            self.assertEqual(self.machine.show(unit, "ExecMainStatus"), "0")
        with self.assertRaises(ConnectionRefusedError):
            self.call(connect, 8080)
        self.assertEqual((stored / "drained.bin").read_bytes(), content)

    def listening_since(self, name):
        return self.machine.systemctl("show", "--property=ActiveEnterTimestampMonotonic", f"rawgate-{name}.socket")

    def upgrade(self):
        """To the same version, which makes no difference to what is done."""
        self.machine.run("dpkg", "--install", *sorted(f"/srv/{path.name}" for path in (self.machine.root / "srv").glob("*.deb")))

    def test_an_upgrade_leaves_all_running_and_keeps_state(self):
        self.call(exchange, 8090, upload_request("kept.txt", b"kept"))
        before = {name: self.main_pid(name) for name in ENABLED}
        listening_since = {name: self.listening_since(name) for name in RAW}
        self.upgrade()
        self.assert_active(*ENABLED)
        self.assertEqual([self.machine.state(f"rawgate-exec.{kind}") for kind in ("service", "socket")], ["inactive"] * 2)
        for name in ENABLED:
            self.assertNotEqual(self.main_pid(name), before[name], f"rawgate-{name} is still the old one")
        self.assertEqual(self.machine.systemctl("--failed", "--no-legend"), "")
        for name in RAW:
            self.assertEqual(self.machine.state(f"rawgate-{name}.socket"), "active")
        # Who came meanwhile has waited.
        self.assertEqual({name: self.listening_since(name) for name in RAW}, listening_since)
        self.assertEqual(self.call(exchange, 8080, b"hello"), b"HELLO")
        self.assertEqual((self.machine.root / "var/lib/rawgate/files/kept.txt").read_bytes(), b"kept")

    def test_an_upgrade_restarts_exec_where_it_runs(self):
        for words in (("start",), ("enable", "--now")):
            with self.subTest(" ".join(words)):
                self.machine.systemctl(*words, "rawgate-exec.service")
                self.addCleanup(self.machine.systemctl, "disable", "--now", "rawgate-exec.service", "rawgate-exec.socket")
                before, listening_since = self.main_pid("exec"), self.listening_since("exec")
                self.upgrade()
                self.assert_active("exec")
                self.assertNotEqual(self.main_pid("exec"), before)
                self.assertEqual(self.listening_since("exec"), listening_since)


if __name__ == "__main__":
    unittest.main()
