"""What every command of `rawgate` prints: text, --plain, --json, colours, errors, help, as scripts and people see it."""

import json
import re
import unittest

from tests.harness.command_line import CommandLine
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack

ESCAPE = "\x1b"
stack = None
rawgate = None


def setUpModule():
    global stack, rawgate
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("time", "--test_clock")
    for name in ("echo", "exec", "file", "chat"):
        stack.start_service(name)
    stack.start_gateway()
    rawgate = CommandLine(RAWGATE_GATEWAY=stack.gateway_target)
    wait_until(all_run, "all services run")


def all_run():
    states = {service["state"] for service in rawgate.json("ps")["services"]}
    return states == {"SERVICE_STATE_RUNNING"}


class JsonTest(unittest.TestCase):
    """Each object has at least the fields that docs/cli.md promises."""

    def test_services(self):
        services = rawgate.json("ps")["services"]
        self.assertEqual([service["name"] for service in services], ["chat", "echo", "exec", "file", "time"])
        stopped = rawgate.json("stop", "time")
        self.assertEqual(stopped["service"]["state"], "SERVICE_STATE_STOPPED")
        self.assertEqual(rawgate.json("start", "time")["service"]["state"], "SERVICE_STATE_RUNNING")

    def test_connections(self):
        self.assertIn("connections", rawgate.json("connections"))

    def test_files(self):
        source = stack.directory / "source.txt"
        source.write_text("hello\n")
        put, = rawgate.json_lines("put", source, "--to", "json/a.txt")
        self.assertEqual((put["source"], put["target"], put["unchanged"]), (str(source), "json/a.txt", False))
        self.assertRegex(put["sha256"], "^[0-9a-f]{64}$")
        again, = rawgate.json_lines("put", "--checksum", source, "--to", "json/a.txt")
        self.assertTrue(again["unchanged"])
        got, = rawgate.json_lines("get", "json/a.txt", "-o", stack.directory / "copy.txt")
        self.assertEqual(got["sha256"], put["sha256"])
        page, = rawgate.json_lines("ls", "json")
        self.assertEqual(page["files"][0]["filename"], "json/a.txt")
        self.assertEqual(rawgate.json("stat", "json/a.txt")["size"], "6")
        self.assertEqual(rawgate.json_lines("uploads"), [{"uploads": [], "nextPageToken": ""}])

    def test_commands(self):
        job = json.loads(rawgate.out("run", "--detach", "--json", "--", "sleep 600"))
        listed = rawgate.json("jobs")["jobs"]
        self.assertIn(job["jobId"], [each["jobId"] for each in listed])
        rawgate.out("kill", job["jobId"], "KILL")

    def test_time(self):
        self.assertIn("formatted", rawgate.json("date"))
        self.assertEqual(len(rawgate.json_lines("date", "--watch", "--count", "2", "--interval", "100ms")), 2)
        self.assertIn("testClock", rawgate.json("test-clock"))

    def test_echo(self):
        reply = json.loads(rawgate.out("echo", "--json", "hello"))
        self.assertEqual(reply["payload"], "SEVMTE8=")
        lines = rawgate.out("echo", "--json", text_in="hi").splitlines()
        self.assertEqual([json.loads(line)["payload"] for line in lines], ["SEk="])

    def test_without_a_gateway(self):
        nobody = {"RAWGATE_GATEWAY": "127.0.0.1:1"}
        self.assertEqual(rawgate.json("version", **nobody)["name"], "rawgate")
        token = rawgate.json("new-token", "ci", "operator", **nobody)
        self.assertEqual(sorted(token), ["accessFile", "name", "token"])
        folder = stack.directory / "tls"
        made = rawgate.json("init-tls", folder, "--host", "lab.example", **nobody)
        self.assertIn("ca.pem", made["files"])
        self.assertIn("lab.example", made["hosts"])
        renewed = rawgate.json("init-tls", "--renew", folder, **nobody)
        self.assertIn("server.pem", renewed["files"])
        self.assertEqual(rawgate.json("context", "list", **nobody), {"contexts": []})
        settings = {each["name"]: each for each in rawgate.json("config", "show", **nobody)["settings"]}
        self.assertEqual(settings["gateway"]["from"], "$RAWGATE_GATEWAY")

    def test_of_the_environment(self):
        self.assertIn("services", json.loads(rawgate.out("ps", RAWGATE_OUTPUT="json")))
        self.assertIn("\t", rawgate.out("ps", RAWGATE_OUTPUT="plain"))
        # What has no such format is as ever, and what is said is stronger.
        self.assertEqual(rawgate.out("echo", "hello", RAWGATE_OUTPUT="plain"), "HELLO\n")
        self.assertIn("\t", rawgate.out("ps", "--plain", RAWGATE_OUTPUT="json"))


class PlainTest(unittest.TestCase):
    def rows(self, *words, columns):
        rows = [line.split("\t") for line in rawgate.out(*words, "--plain").splitlines()]
        self.assertTrue(rows, words)
        for row in rows:
            self.assertEqual(len(row), columns, row)
        return rows

    def test_tables(self):
        rows = self.rows("ps", columns=7)
        self.assertEqual(rows[0][:3], ["chat", "", "running"])
        self.assertRegex(rows[0][3], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
        self.rows("connections", columns=9)
        self.rows("config", "show", columns=2)
        self.rows("config", "show", "--origin", columns=3)
        rawgate.run("run", "--", "true")
        ended = self.rows("jobs", "--all", columns=6)[0]
        self.assertEqual(ended[1], "exited 0")
        self.assertRegex(ended[3], r"^\d+\.\d{3}$")

    def test_files(self):
        source = stack.directory / "plain.txt"
        source.write_text("hello\n")
        rawgate.run("put", source, "--to", "plain/a b.txt")
        file, = self.rows("ls", "plain", columns=3)
        self.assertEqual((file[0], file[2]), ("6", "plain/a b.txt"))
        self.assertEqual(rawgate.out("uploads", "--plain"), "")


class TerminalTest(unittest.TestCase):
    def test_colours_at_a_terminal_alone(self):
        colored = rawgate.at_terminal("ps")
        self.assertIn(f"{ESCAPE}[32mrunning{ESCAPE}[0m", colored)
        self.assertIn(f"{ESCAPE}[1mNAME{ESCAPE}[0m", colored)
        self.assertNotIn(ESCAPE, rawgate.out("ps"))
        self.assertIn(f"{ESCAPE}[1mExamples:", rawgate.at_terminal("ps", "--help"))

    def test_no_colours_where_they_are_not_wanted(self):
        for words, environment in ((("ps",), {"NO_COLOR": "1"}), (("ps",), {"TERM": "dumb"}), (("--no-color", "ps"), {}),
                                   (("ps", "--no-color"), {}), (("ps", "--plain"), {}),
                                   (("--no-color", "--help"), {}), (("ps", "--json"), {})):
            with self.subTest(words=words, environment=environment):
                self.assertNotIn(ESCAPE, rawgate.at_terminal(*words, **environment))

    def test_colours_move_no_column(self):
        plain = [line.rstrip() for line in rawgate.at_terminal("ps", NO_COLOR="1").splitlines()]
        colored = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in rawgate.at_terminal("ps").splitlines()]
        positions = lambda lines: [line.find(word) for line, word in zip(lines, ("STATE", "running", "running"))]
        self.assertEqual(positions(plain), positions(colored))

    def test_eighty_columns(self):
        for words in (("ps",), ("jobs",), ("ls",), ("--help",), ("help", "run"), ("context", "list"), ("config", "show")):
            for line in rawgate.at_terminal(*words, NO_COLOR="1").splitlines():
                self.assertLessEqual(len(line), 80, line)


class ErrorTest(unittest.TestCase):
    def test_json(self):
        error = rawgate.error("stat", "nothing.txt")
        self.assertEqual((error["command"], error["code"], error["reason"]), ("stat", "NOT_FOUND", "FILE_NOT_FOUND"))
        self.assertEqual(error["advice"], "'rawgate ls' lists what is there.")
        usage = rawgate.error("ps", "--nosuch", code=2)
        self.assertEqual((usage["reason"], usage["message"]), ("USAGE", "no such option: --nosuch"))
        gone = rawgate.error("ps", RAWGATE_GATEWAY="127.0.0.1:1")
        self.assertEqual(gone["reason"], "GATEWAY_UNREACHABLE")

    def test_json_of_one_of_several(self):
        source = stack.directory / "one.txt"
        source.write_text("x")
        out, error = rawgate.run("put", "--json", source, stack.directory / "none.txt", "--to", "several/", code=1)
        self.assertEqual(json.loads(out)["target"], "several/one.txt")
        error, = [json.loads(line)["error"] for line in error.splitlines()]
        self.assertEqual(error["subject"], str(stack.directory / "none.txt"))

    def test_what_was_meant_perhaps(self):
        for words, code, meant in ((("sart",), 2, "start"), (("upload",), 2, "put"), (("ps", "--jsn"), 2, "--json"),
                                   (("context", "ad"), 2, "add"), (("help", "wacth"), 2, "watch"),
                                   (("stop", "ecko"), 1, "echo"), (("stop", "echo/tpc"), 1, "echo/tcp")):
            with self.subTest(words=words):
                out, error = rawgate.run(*words, code=code)
                self.assertEqual(out, "")
                self.assertIn(f"Did you mean {meant}?", error)

    def test_a_file_that_was_meant(self):
        source = stack.directory / "notes.txt"
        source.write_text("x")
        rawgate.run("put", source, "--to", "meant/notes.txt")
        _, error = rawgate.run("stat", "meant/notse.txt", code=1)
        self.assertIn("Did you mean meant/notes.txt?", error)


if __name__ == "__main__":
    unittest.main()
