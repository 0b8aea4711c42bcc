"""Contexts and configuration of `rawgate`: with TLS and a token, in a file of their own, and what counts before what."""

import json
import os
import stat
import unittest

from tests.harness.access import AccessFile
from tests.harness.command_line import CommandLine
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack
from tests.harness.tls_folder import TlsFolder

guarded = None
plain = None
tls = None


def setUpModule():
    global guarded, plain, tls
    guarded, plain = Stack(), Stack()
    unittest.addModuleCleanup(guarded.stop)
    unittest.addModuleCleanup(plain.stop)
    tls = TlsFolder(guarded.directory / "tls")
    guarded.start_service("echo")
    guarded.start_gateway(AccessFile(tls.path("access.textproto"), tls.path("access.textproto").read_text()).flag,
                          *tls.gateway_flags())
    plain.start_service("echo")
    plain.start_gateway()


class ContextCase(unittest.TestCase):
    def setUp(self):
        self.folder = plain.directory / self.id()
        self.file = self.folder / "deep" / "config.json"
        self.folder.mkdir()
        self.rawgate = CommandLine(RAWGATE_CONFIG=str(self.file))

    def add(self, name, *more, code=0):
        return self.rawgate.run("context", "add", name, *more, code=code)

    def add_lab(self, *more):
        return self.add("lab", "--address", guarded.gateway_target, "--tls-ca", tls.path("ca.pem"), "--token-file",
                        tls.path("token"), *more)

    def settings(self, *words, **environment):
        shown = self.rawgate.json(*words, "config", "show", **environment)["settings"]
        return {each["name"]: (each["value"], each["origin"], each["from"]) for each in shown}


class ContextTest(ContextCase):
    def test_a_gateway_with_tls_and_a_token(self):
        out, error = self.add_lab()
        self.assertEqual(out, "")
        self.assertIn("'rawgate context use lab'", error)
        echo = lambda *words: self.rawgate.out(*words, "echo", "hello")
        wait_until(lambda: self.works("--context", "lab"), "the gateway has met echo")
        self.assertEqual(echo("--context", "lab"), "HELLO\n")
        self.assertEqual(self.rawgate.out("echo", "hello", RAWGATE_CONTEXT="lab"), "HELLO\n")
        self.rawgate.run("context", "use", "lab")
        self.assertEqual(echo(), "HELLO\n")
        self.rawgate.run("context", "remove", "lab")
        self.assertEqual(self.rawgate.json("context", "list"), {"contexts": []})
        self.assertNotIn("context", json.loads(self.file.read_text()))

    def works(self, *words):
        try:
            return bool(self.rawgate.out(*words, "echo", "hello"))
        except AssertionError:
            return False

    def test_the_token_goes_to_no_other_gateway(self):
        self.add_lab("--use")
        wait_until(lambda: self.works("--gateway", plain.gateway_target), "the other gateway has met echo")
        shown = self.settings("--gateway", plain.gateway_target)
        self.assertEqual(shown["token-file"], ("", "unset", "not set"))
        self.assertEqual(shown["context"][0], "")
        out = self.rawgate.out("echo", "hello", RAWGATE_GATEWAY=plain.gateway_target)
        self.assertEqual(out, "HELLO\n")

    def test_paths_do_not_depend_on_the_current_folder(self):
        here = os.path.relpath(tls.path("ca.pem"))
        self.add("lab", "--address", "lab:50051", "--tls-ca", here)
        self.assertEqual(self.rawgate.json("context", "show", "lab")["tlsCa"], str(tls.path("ca.pem")))

    def test_the_file_is_for_its_owner_alone_and_has_no_secret(self):
        self.add_lab()
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertNotIn(tls.path("token").read_text().strip(), self.file.read_text())

    def test_list_and_show(self):
        self.add_lab("--use")
        self.add("home", "--address", "127.0.0.1:50051")
        rows = [line.split("\t") for line in self.rawgate.out("context", "list", "--plain").splitlines()]
        self.assertEqual([row[:3] for row in rows], [["", "home", "127.0.0.1:50051"], ["*", "lab", guarded.gateway_target]])
        self.assertTrue(all(len(row) == 5 for row in rows))
        home, lab = self.rawgate.json("context", "list")["contexts"]
        self.assertEqual(home, {"name": "home", "current": False, "gateway": "127.0.0.1:50051"})
        self.assertEqual(lab, self.rawgate.json("context", "show"))
        self.assertIn("lab (in use)", self.rawgate.out("context", "show"))

    def test_what_cannot_work_is_refused(self):
        for words, code, said in ((("--token-file", tls.path("token")), 1, "without TLS"),
                                  (("--tls-ca", "/nonexistent"), 1, "No such file"),
                                  (("--tls-ca", tls.path("token")), 1, "no PEM file"),
                                  (("--tls-certificate", tls.path("client.pem")), 2, "go together")):
            with self.subTest(words=words):
                _, error = self.add("lab", "--address", "lab:50051", *words, code=code)
                self.assertIn(said, error)
        self.rawgate.run("context", "add", "lab", "--address", "https://lab", code=2)
        self.rawgate.run("context", "add", "a/b", "--address", "lab", code=2)
        self.assertFalse(self.file.exists())
        self.add_lab()
        _, error = self.rawgate.run("context", "add", "lab", "--address", "127.0.0.1", code=1)
        self.assertIn("--replace", error)
        self.rawgate.run("context", "add", "lab", "--address", "127.0.0.1", "--replace")
        self.assertEqual(self.rawgate.json("context", "show", "lab")["gateway"], "127.0.0.1")
        _, error = self.rawgate.run("context", "use", "lba", code=1)
        self.assertIn("Did you mean lab?", error)

    def test_its_token_goes_to_no_other_gateway(self):
        self.add_lab()
        _, error = self.rawgate.run("--context", "lab", "--gateway", plain.gateway_target, "ps", code=2)
        self.assertIn("--context and --gateway exclude each other", error)
        wait_until(lambda: self.works("--context", "lab", "--gateway", guarded.gateway_target), "the gateway has met echo")


class ConfigTest(ContextCase):
    def test_origins(self):
        self.add("home", "--address", "home:1", "--use")
        self.rawgate.run("config", "set", "output", "text")
        shown = self.settings()
        self.assertEqual(shown["gateway"], ("home:1", "context", f"context home in {self.file}"))
        self.assertEqual(shown["output"], ("text", "file", f"defaults in {self.file}"))
        self.assertEqual(shown["color"], ("auto", "built-in", "built in"))
        self.assertEqual(shown["tls-ca"], ("", "unset", "not set"))
        self.assertEqual(self.settings(RAWGATE_GATEWAY="env:1")["gateway"], ("env:1", "environment", "$RAWGATE_GATEWAY"))
        self.assertEqual(self.settings("--gateway", "option:1", RAWGATE_GATEWAY="env:1")["gateway"],
                         ("option:1", "option", "--gateway"))
        self.assertEqual(self.settings("--context", "home", RAWGATE_GATEWAY="env:1")["gateway"][0], "home:1")
        self.assertEqual(self.settings(RAWGATE_TOKEN="secret")["token-file"],
                         ("", "environment", "$RAWGATE_TOKEN itself"))
        self.assertEqual(self.settings(NO_COLOR="1")["color"], ("never", "environment", "$NO_COLOR"))

    def test_set_and_unset(self):
        self.rawgate.run("config", "set", "gateway", "lab:1")
        self.assertEqual(self.settings()["gateway"][:2], ("lab:1", "file"))
        self.rawgate.run("config", "unset", "gateway")
        self.assertEqual(self.settings()["gateway"][1], "built-in")
        _, error = self.rawgate.run("config", "set", "gatway", "x", code=2)
        self.assertIn("Did you mean gateway?", error)
        _, error = self.rawgate.run("config", "set", "color", "nver", code=2)
        self.assertIn("Did you mean never?", error)

    def test_credentials_are_for_the_gateway_beside_them(self):
        _, error = self.rawgate.run("config", "set", "token-file", tls.path("token"), code=2)
        self.assertIn("set gateway first", error)
        self.rawgate.run("config", "set", "gateway", "lab:1")
        _, error = self.rawgate.run("config", "set", "token-file", tls.path("token"))
        self.assertIn("for the gateway at lab:1 alone", error)
        self.assertEqual(self.settings()["token-file"][1], "file")
        self.assertEqual(self.settings("--gateway", "other:1")["token-file"][1], "unset")
        _, error = self.rawgate.run("config", "unset", "gateway", code=2)
        self.assertIn("unset token-file first", error)

    def test_path(self):
        self.assertEqual(self.rawgate.out("config", "path"), f"{self.file}\n")
        self.assertEqual(self.rawgate.out("config", "path", RAWGATE_CONFIG="", XDG_CONFIG_HOME="/x"),
                         "/x/rawgate/config.json\n")
        self.assertEqual(self.rawgate.out("config", "path", RAWGATE_CONFIG="", XDG_CONFIG_HOME="", HOME="/h"),
                         "/h/.config/rawgate/config.json\n")

    def test_a_file_that_makes_no_sense_says_where(self):
        self.file.parent.mkdir()
        for text, place in (('{"contexts": {"lab": {"adress": "x"}}}', "/contexts/lab/adress"),
                            ('{\n  "context" "lab"\n}', "line 2, column"), ('{"context": "lab"}', "/contexts")):
            self.file.write_text(text)
            error = self.rawgate.error("ps")
            self.assertEqual(error["reason"], "BAD_CONFIG")
            self.assertIn(place, error["message"])
            self.assertIn(str(self.file), error["message"])
            # And nothing of it is lost.
            self.rawgate.run("context", "add", "x", "--address", "127.0.0.1", code=1)
            self.assertEqual(self.file.read_text(), text)
        # What needs no gateway goes on, and so does help.
        self.rawgate.out("version")
        self.rawgate.out("config", "path")
        self.rawgate.out("ps", "--help")

    def test_others_may_not_write_to_it(self):
        self.file.parent.mkdir()
        self.file.write_text("{}")
        self.file.chmod(0o666)
        self.assertEqual(self.rawgate.error("ps")["reason"], "CONFIG_NOT_PRIVATE")

    def test_a_pipe_keeps_nothing_waiting(self):
        self.file.parent.mkdir()
        os.mkfifo(self.file)
        self.rawgate.out("version")
        self.assertEqual(self.rawgate.error("ps")["reason"], "BAD_CONFIG")


if __name__ == "__main__":
    unittest.main()
