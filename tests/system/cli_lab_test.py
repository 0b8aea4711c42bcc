"""`rawgate lab`: every lesson against the live services, in both languages, as text."""

import json
import os
import re
import shutil
import signal
import subprocess
import unittest

from tests.harness import lab
from tests.harness.deadlines import PATIENCE
from tests.harness.terminal import Terminal

stack = None
ESCAPE = "\x1b"


def setUpModule():
    global stack
    stack = lab.start_stack()
    unittest.addModuleCleanup(stack.stop)


class TextTest(unittest.TestCase):
    def check_page(self, text, language, columns):
        for heading in lab.HEADINGS[language]:
            self.assertIn(heading, text)
        # A fact that a text names and the run does not have would be left in braces; code has its own.
        for line in text.splitlines():
            if not line.startswith("    "):
                self.assertNotRegex(line, r"\{[a-z]\w*\}")
            self.assertLessEqual(lab.width(line), columns, line)

    def test_every_lesson_piped_in_both_languages(self):
        for lesson in lab.LESSONS:
            for language in ("en", "zh"):
                with self.subTest(lesson=lesson, language=language):
                    done = lab.run(stack, lesson, "--lang", language)
                    self.assertIn(done.returncode, (0, lab.NOT_SHOWN), done.stderr)
                    self.assertNotIn(ESCAPE, done.stdout)
                    self.check_page(done.stdout, language, 80)

    def test_every_part_by_itself(self):
        for lesson in lab.listed():
            if lesson["isPart"]:
                with self.subTest(lesson=lesson["id"]):
                    code, run = lab.run_json(stack, lesson["id"])
                    self.assertEqual(run["lesson"], lesson["id"])
                    self.assertEqual(code, 0 if run["shown"] else lab.NOT_SHOWN)

    def test_terminals_of_two_sizes(self):
        for lesson in ("coalescing", "half-close"):
            for rows, columns in ((24, 80), (50, 200)):
                for language in ("en", "zh"):
                    with self.subTest(lesson=lesson, columns=columns, language=language):
                        text = self.at_terminal(lesson, "--lang", language, rows=rows, columns=columns)
                        self.assertIn(ESCAPE + "[1m", text)
                        self.check_page(re.sub(r"\x1b\[[0-9]*m", "", text), language, min(columns, 160))

    def test_no_color(self):
        self.assertNotIn(ESCAPE, self.at_terminal("half-close", environment={"NO_COLOR": "1"}))

    def at_terminal(self, *words, rows=24, columns=80, environment=None):
        extra = {"RAWGATE_GATEWAY": stack.gateway_target, **(environment or {})}
        terminal = Terminal(lab.command(*words), rows=rows, columns=columns, environment=extra)
        self.addCleanup(terminal.close)
        self.assertIn(terminal.wait(), (0, lab.NOT_SHOWN), terminal.screen)
        return terminal.screen.decode()

    def test_ascii_where_the_locale_is_not_utf8(self):
        for words, extra in ((("half-close",), {"LC_ALL": "C"}), (("half-close", "--ascii"), {})):
            done = lab.run(stack, *words, **extra)
            self.assertTrue(done.stdout.isascii(), done.stdout)
            self.assertRegex(done.stdout, r"\+-+ 10 B -+>\|")

    def test_the_locale_chooses_the_language(self):
        self.assertIn("半关闭", lab.run(stack, LC_ALL="zh_CN.UTF-8").stdout)
        self.assertIn("half-close  ", lab.run(stack).stdout)


class FiguresTest(unittest.TestCase):
    """What is drawn is what was recorded, and what was recorded is what happened."""

    def test_every_byte_that_was_sent_was_read(self):
        _, run = lab.run_json(stack, "coalescing-sender")
        for scene in run["scenes"]:
            sent = sum(step["bytes"] for step in scene["steps"] if step["what"] == "send")
            for what, side in (("recv", "service"), ("recv", "client"), ("segment", "client")):
                got = [step for step in scene["steps"] if step["what"] == what and step["side"] == side]
                self.assertEqual(sum(step["bytes"] for step in got), sent, (scene["id"], what, side))

    def test_facts_are_those_of_the_steps(self):
        _, run = lab.run_json(stack, "coalescing-sender")
        for scene, name in zip(run["scenes"], ("nagle", "noDelay")):
            segments = sum(s["count"] for s in scene["steps"] if s["kind"] == "wire" and s["side"] == "client")
            reads = sum(s["count"] for s in scene["steps"] if s["what"] == "recv" and s["side"] == "service")
            self.assertEqual((segments, reads), (run["facts"][f"{name}Segments"], run["facts"][f"{name}Reads"]))

    def test_effects_follow_their_causes(self):
        for lesson in ("coalescing", "half-close"):
            _, run = lab.run_json(stack, lesson)
            for scene in run["scenes"]:
                sent = received = 0
                for step in scene["steps"]:
                    if step["what"] == "send":
                        sent += step.get("bytes", 0)
                    elif step["what"] == "recv" and step["side"] == "service":
                        received += step["bytes"]
                        self.assertLessEqual(received, sent, scene)

    def test_a_service_closes_behind_its_answer(self):
        for run in self.half_closes():
            steps = run["scenes"][0]["steps"]
            where = {f"{s['side']} {s['kind']} {s['what']}": place for place, s in enumerate(steps)}
            self.assertLess(where["service wire segment"], where["service wire FIN"], steps)
            self.assertLess(where["service wire FIN"], where["service call close"], steps)
            self.assertEqual(run["facts"]["endOfHalf"], "peer closed")

    def test_close_with_bytes_unread_is_a_reset(self):
        for run in self.half_closes():
            on_wire = [s["what"] for s in run["scenes"][1]["steps"] if s["kind"] == "wire" and s["side"] == "client"]
            self.assertEqual(on_wire[-1], "RST")
            self.assertNotIn("FIN", on_wire)
            self.assertEqual((run["facts"]["unread"], run["facts"]["endOfWhole"]), (10, "reset"))
            self.assertEqual(run["scenes"][1]["steps"][-1]["result"], "reset")

    def half_closes(self):
        """The drawing's order is that of the causes in every run, also where the machine's timing hid the lesson's point."""
        lines = lab.run(stack, "half-close", "--repeat", "10", "--json").stdout.splitlines()
        self.assertEqual(len(lines), 10)
        return map(json.loads, lines)

    def test_receiver(self):
        code, run = lab.run_json(stack, "coalescing-receiver")
        self.assertEqual(code, 0)
        self.assertEqual(run["facts"]["lateReads"], 1)
        self.assertEqual(run["facts"]["smallReads"], 3)
        small = run["scenes"][2]
        samples = [s["sample"] for s in small["steps"] if s["what"] == "recv" and s["side"] == "client"]
        self.assertEqual(samples, ["HELL", "OWOR", "LD"])

    def test_framing_finds_both_messages(self):
        code, run = lab.run_json(stack, "framing")
        self.assertEqual(code, 0)
        for scene in run["scenes"]:
            messages = [s["sample"] for s in scene["steps"] if s["what"] in ("message", "line")]
            if scene["id"] in ("length.sized", "json.header", "delimiter.with"):
                self.assertEqual(messages, ["one\\n", "two\\n"], scene["id"])
        self.assertEqual(run["facts"]["wrongAnswer"], "oneecho two")

    def test_a_machine_that_vanished_is_noticed_by_timers_alone(self):
        code, run = lab.run_json(stack, "vanished-machine")
        self.assertEqual(code, 0)
        self.assertEqual({run["facts"]["silenceError"], run["facts"]["idleError"]}, {"ETIMEDOUT"})
        self.assertEqual(run["facts"]["probes"], 2)
        for scene in run["scenes"]:
            self.assertNotIn("wire", [step["kind"] for step in scene["steps"]])

    def test_it_takes_no_privileges(self):
        program = shutil.copy(lab.command()[0], stack.directory)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
        done = subprocess.run([*nobody, program, "lab", "vanished-machine", "--json"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE, env=lab.environment(stack))
        if done.returncode == 1:  # what no program can help
            self.assertIn("user namespaces are off", done.stderr)
        else:
            self.assertEqual(json.loads(done.stdout)["facts"]["silenceError"], "ETIMEDOUT")

    def test_a_process_that_died_is_told_by_its_kernel(self):
        code, run = lab.run_json(stack, "vanished")
        self.assertEqual(code, 0)
        for fact, value in {"endWhenRead": "peer closed", "endWhenUnread": "reset", "secondSend": "EPIPE",
                            "readAfterReset": "ECONNRESET", "refusal": "ECONNREFUSED"}.items():
            self.assertEqual(run["facts"][fact], value)

    def test_every_byte_of_a_full_buffer_is_somewhere(self):
        code, run = lab.run_json(stack, "back-pressure")
        self.assertEqual(code, 0)
        facts = run["facts"]
        places = ("ownSend", "farReceive", "farSend", "ownReceive")
        self.assertEqual(sum(facts[place] for place in places), facts["sent"])
        reads = [s for s in run["scenes"][0]["steps"] if s["what"] == "recv" and s["side"] == "client"]
        self.assertEqual(sum(s["bytes"] for s in reads), facts["sent"] + len("more"))

    def test_backlog(self):
        code, run = lab.run_json(stack, "backlog")
        self.assertEqual(code, 0)
        self.assertEqual(run["facts"]["beforeAccept"] + run["facts"]["waiting"], run["facts"]["clients"])
        self.assertGreater(run["facts"]["waiting"], 0)

    def test_datagrams_that_found_no_room(self):
        code, run = lab.run_json(stack, "udp")
        self.assertEqual(code, 0)
        facts = run["facts"]
        self.assertEqual(facts["bufferArrived"] + facts["bufferLost"], facts["sent"])
        lost = [s for s in run["scenes"][0]["steps"] if s["kind"] == "lost"]
        self.assertEqual(len(lost), facts["bufferLost"])


class FailureTest(unittest.TestCase):
    def test_a_service_that_is_stopped(self):
        rawgate = [lab.command()[0]]
        subprocess.run([*rawgate, "stop", "file"], env=lab.environment(stack), check=True, capture_output=True)
        self.addCleanup(subprocess.run, [*rawgate, "start", "file"], env=lab.environment(stack), check=True,
                        capture_output=True)
        done = lab.run(stack, "nagle")
        self.assertEqual(done.returncode, 1)
        self.assertIn("'rawgate start file' brings a stopped one back", done.stderr)

    def test_an_address_that_nobody_has(self):
        done = lab.run(stack, "half-close", "--address", "echo/tcp=127.0.0.1:1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("echo/tcp listens at tcp://127.0.0.1:1, which cannot be reached from here", done.stderr)
        self.assertIn("--address echo/tcp=HOST:PORT", done.stderr)

    def test_a_given_address_is_used(self):
        host, port = stack.address("echo", "tcp")
        _, run = lab.run_json(stack, "half-close", "--address", f"echo/tcp=localhost:{port}" if host == "127.0.0.1" else
                              f"echo/tcp={host}:{port}")
        self.assertEqual(run["scenes"][0]["address"], f"tcp://{host}:{port}")

    def test_wrong_usage(self):
        for words, message in ((("nonsense",), "there is no lesson 'nonsense'"),
                               (("coalescng",), "Did you mean coalescing?"),
                               (("nagle", "--plain"), "--plain"),
                               (("nagle", "--lang", "fr"), "--lang"),
                               (("nagle", "--address", "here"), "SERVICE/LISTENER=HOST:PORT")):
            done = lab.run(stack, *words)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(message, done.stderr)

    def test_the_list_for_scripts(self):
        rows = [line.split("\t") for line in lab.run(stack, "--plain").stdout.splitlines()]
        self.assertEqual([(row[0], row[2] == "part") for row in rows], [(each["id"], each["isPart"]) for each in lab.listed()])
        self.assertEqual({len(row) for row in rows}, {3})

    def test_ctrl_c_ends_it(self):
        process = subprocess.Popen(lab.command("vanished-machine"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=lab.environment(stack))
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        # The page begins before the run does.
        os.read(process.stdout.fileno(), 1)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=PATIENCE)
        self.assertEqual(process.returncode, -signal.SIGINT)

    def test_repeated_runs_are_counted(self):
        done = lab.run(stack, "half-close", "--repeat", "3")
        self.assertRegex(done.stdout, r"\nIt showed in [0-3] of 3 runs\.\n$")
        lines = lab.run(stack, "half-close", "--repeat", "2", "--json").stdout.splitlines()
        self.assertEqual([json.loads(line)["lesson"] for line in lines], ["half-close"] * 2)


if __name__ == "__main__":
    unittest.main()
