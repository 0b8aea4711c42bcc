"""Each rule catches what it is for, and lets good text through."""

import pathlib
import subprocess
import tempfile
import unittest

import documents
import layers
import leftovers
import protos
import sizes
import tidy
from source import Source

# In two parts, so that these lines are not findings themselves.
NOTE = "TO" + "DO"
MACHINE = "/wo" + "rk/main"

GOOD_PROTO = """// What it is.
syntax = "proto3";

package rawgate.echo.v1;

// Says things.
service EchoService {
  // Says it again.
  // Errors: INVALID_ARGUMENT (PAYLOAD_TOO_LARGE).
  rpc Echo(EchoRequest) returns (stream EchoResponse) {
    option (rawgate.access.v1.required_role) = ROLE_OPERATOR;
  }

  // What was said.
  // Errors: the common ones.
  rpc GetEcho(GetEchoRequest) returns (GetEchoResponse) {
    option (rawgate.access.v1.required_role) = ROLE_VIEWER;
    option idempotency_level = NO_SIDE_EFFECTS;
  }
}

// How.
enum EchoKind {
  // Neither.
  ECHO_KIND_UNSPECIFIED = 0;
  // Shouted.
  ECHO_KIND_LOUD = 1;
}

// What.
message EchoRequest {
  // How often each.
  map<string, uint64> by_name = 1;
  // One.
  oneof kind {
    // Bytes.
    bytes payload = 2;
  }
}

// It was said.
message EchoResponse {}
"""
PROTO_PATH = "protos/rawgate/echo/v1/echo_service.proto"


def messages(findings):
    return [finding.message for finding in findings]


class LayersTest(unittest.TestCase):
    def found(self, path, *included):
        text = "".join(f'#include "{each}"\n' for each in included)
        return messages(layers.check(Source(path, text)))

    def test_lets_lower_layers_be_included(self):
        self.assertEqual(self.found("runtime/rpc/status.h", "runtime/base/status.h", "grpcpp/grpcpp.h"), [])
        self.assertEqual(self.found("services/echo/echo_main.cc", "services/echo/echo_core.h", "runtime/host/a.h"), [])
        self.assertEqual(self.found("runtime/net/connection_test.cc", "runtime/testing/loopback.h"), [])

    def test_catches_each_forbidden_arrow(self):
        for path, included in (
            ("runtime/base/status.h", "runtime/net/connection.h"),
            ("runtime/net/connection.h", "runtime/rpc/status.h"),
            ("runtime/observe/counters.h", "boost/asio/io_context.hpp"),
            ("runtime/net/connection.h", "grpcpp/grpcpp.h"),
            ("runtime/host/host.h", "services/echo/echo_core.h"),
            ("runtime/net/connection.cc", "runtime/testing/loopback.h"),
            ("gateway/forwarder.cc", "services/echo/echo_core.h"),
            ("services/echo/echo_core.h", "services/exec/exec_core.h"),
            ("services/echo/echo_core.h", "boost/asio.hpp"),
            ("services/echo/echo_core.cc", "grpcpp/support/status.h"),
            ("services/echo/echo_session.cc", "rawgate/echo/v1/echo_service.pb.h"),
        ):
            with self.subTest(path=path, included=included):
                self.assertEqual(len(self.found(path, included)), 1)

    def test_catches_generated_types_in_a_core(self):
        self.assertTrue(self.found("services/echo/echo_core.h", "rawgate/echo/v1/echo_service.pb.h"))


class SizesTest(unittest.TestCase):
    def test_files(self):
        for path, lines, bad in (
            ("a.cc", sizes.FILE_LINES_MAX, False),
            ("a.cc", sizes.FILE_LINES_MAX + 1, True),
            ("a_test.cc", sizes.TEST_LINES_MAX, False),
            ("a_test.cc", sizes.TEST_LINES_MAX + 1, True),
            ("a.md", sizes.FILE_LINES_MAX + 1, False),
            ("a_main.cc", sizes.MAIN_LINES_MAX, False),
            ("a_main.cc", sizes.MAIN_LINES_MAX + 1, True),
        ):
            with self.subTest(path=path, lines=lines):
                self.assertEqual(bool(list(sizes.check(Source(path, "\n" * lines)))), bad)

    def test_python_functions(self):
        for lines, bad in ((sizes.FUNCTION_LINES_MAX, False), (sizes.FUNCTION_LINES_MAX + 1, True)):
            text = "def f():\n" + "    pass\n" * (lines - 1)
            self.assertEqual(bool(list(sizes.check(Source("a.py", text)))), bad)

    def test_cpp_functions(self):
        with tempfile.TemporaryDirectory() as root:
            for name, lines in (("short.cc", sizes.FUNCTION_LINES_MAX), ("long.h", sizes.FUNCTION_LINES_MAX + 1)):
                body = "  Step();\n" * (lines - 2)
                pathlib.Path(root, name).write_text(f"namespace a {{\nint B::F(int c) {{\n{body}}}\n}}\n")
            found = list(sizes.check_cpp_functions(["short.cc", "long.h"], root))
            self.assertEqual([(each.path, each.line) for each in found], [("long.h", 2)])


class LeftoversTest(unittest.TestCase):
    def found(self, path, text):
        return messages(leftovers.check(Source(path, text)))

    def test_notes(self):
        for path, text, bad in (
            ("a.cc", f"// {NOTE}: later\n", True),
            ("a.cc", f"int a;  // {NOTE}(#12): later\n", False),
            ("a.cc", f'Print("{NOTE}");\n', False),
            ("a.py", "# FIX" + "ME\n", True),
            ("a.md", f"{NOTE}\n", True),
            ("CMakeLists.txt", f"# {NOTE}\n", True),
            ("script/up", f"x=${{#a}}  # {NOTE}\n", True),
        ):
            with self.subTest(path=path, text=text):
                self.assertEqual(bool(self.found(path, text)), bad)

    def test_code_in_comments(self):
        for path, text, bad in (
            ("a.cc", "// return status;\n", True),
            ("a.cc", "  // connection.Close(reason);\n", True),
            ("a.cc", "// const int size = 3;\n", True),
            ("a.cc", "// if (size > 0) {\n", True),
            ("a.cc", "// }\n", True),
            ("a.cc", '// #include "a.h"\n', True),
            ("a.h", "//     host::Process process(argc, argv);\n", False),
            ("a.cc", "// Close() is called once; the second time is an error.\n", False),
            ("a.cc", "// returns early, since nothing is owed;\n", False),
            ("a.cc", "// if the peer is gone (see Close())\n", False),
            ("a.py", "# total = size + 4\n", True),
            ("a.py", "# close(connection)\n", True),
            ("a.py", "# nothing\n", False),
            ("a.py", "# A peer that is gone, say.\n", False),
        ):
            with self.subTest(path=path, text=text):
                self.assertEqual(bool(self.found(path, text)), bad)

    def test_traces_of_a_machine(self):
        self.assertTrue(self.found("README.md", f"cd {MACHINE}\n"))
        self.assertFalse(self.found("README.md", "see docs/wo" + "rk/plan\n"))
        lock = '{"packages": {"node_modules/a": {"resolved": "%s"}}}'
        self.assertTrue(self.found("package-lock.json", lock % "https://mirror.example/a.tgz"))
        self.assertFalse(self.found("package-lock.json", lock % "https://registry.npmjs.org/a.tgz"))


class DocumentsTest(unittest.TestCase):
    def found(self, text):
        with tempfile.TemporaryDirectory() as root:
            pathlib.Path(root, "other.md").write_text("# Other\n\n## Two words, so\n")
            pathlib.Path(root, "a.md").write_text(text)
            return messages(documents.check(Source("a.md", text), root))

    def test_titles(self):
        self.assertEqual(self.found("# One\n\n```\n# a comment\n```\n"), [])
        self.assertTrue(self.found("# One\n# Two\n"))
        self.assertTrue(self.found("no title\n"))

    def test_links(self):
        for target, bad in (
            ("other.md", False),
            ("other.md#two-words-so", False),
            ("#one", False),
            ("https://example.org/x", False),
            ("missing.md", True),
            ("other.md#missing", True),
            ("#用-docker-运行", False),
            ("#用-docker", True),
            ("/other.md", True),
        ):
            for text in (f"see [this]({target}).", f"see [this\nand that]({target}).", f"see [this][1].\n\n[1]: {target}"):
                with self.subTest(text=text):
                    self.assertEqual(bool(self.found(f"# One\n\n{text}\n\n## 用 Docker 运行\n")), bad)

    def test_findings_have_the_line_where_the_link_begins(self):
        with tempfile.TemporaryDirectory() as root:
            found, = documents.check(Source("a.md", "# One\n\n```\n[\n```\nsee `[` [this\none](missing.md)\n"), root)
        self.assertEqual((found.line, found.message), (6, "dead link: missing.md"))

    def test_code_is_no_link(self):
        self.assertEqual(self.found("# One\n\n`[a](missing)`\n\n```\n[a](missing)\n```\n"), [])


class ProtosTest(unittest.TestCase):
    def found(self, text, path=PROTO_PATH):
        return messages(protos.check(Source(path, text)))

    def test_lets_a_good_one_through(self):
        self.assertEqual(self.found(GOOD_PROTO), [])

    def test_catches_each_departure(self):
        for good, bad in (
            ("package rawgate.echo.v1;", "package rawgate.echo;"),
            ('syntax = "proto3";', 'syntax = "proto2";'),
            ("service EchoService", "service Echo"),
            ("Echo(EchoRequest)", "Echo(Request)"),
            ("(stream EchoResponse)", "(google.protobuf.Empty)"),
            ("  // Says it again.\n  // Errors: INVALID_ARGUMENT (PAYLOAD_TOO_LARGE).\n", ""),
            ("  // Errors: the common ones.\n", ""),
            ("    option idempotency_level = NO_SIDE_EFFECTS;\n", ""),
            ("// Says things.\n", ""),
            ("// How.\n", ""),
            ("  // Shouted.\n", ""),
            ("// It was said.\n", ""),
            ("  // How often each.\n", ""),
            ("  // One.\n", ""),
            ("    // Bytes.\n", ""),
            ("ROLE_OPERATOR", "ROLE_UNSPECIFIED"),
            ("    option (rawgate.access.v1.required_role) = ROLE_OPERATOR;\n", ""),
            ("ECHO_KIND_UNSPECIFIED = 0", "ECHO_KIND_QUIET = 0"),
            ("ECHO_KIND_LOUD", "LOUD"),
            ("message EchoRequest", "message echo_request"),
            ("bytes payload", "bytes payLoad"),
        ):
            with self.subTest(bad=bad):
                self.assertIn(good, GOOD_PROTO)
                self.assertEqual(len(self.found(GOOD_PROTO.replace(good, bad))), 1)

    def test_names_that_are_googles_are_not_judged_but_their_methods_are(self):
        path, renamed = "protos/google/echo/echo.proto", GOOD_PROTO.replace("service EchoService", "service Echo")
        self.assertEqual(self.found(renamed, path), [])
        self.assertEqual(len(self.found(renamed.replace("ROLE_OPERATOR", "ROLE_UNSPECIFIED"), path)), 1)

    def test_catches_a_reason_that_nothing_sends(self):
        contract = Source(PROTO_PATH, GOOD_PROTO)
        sends = Source("services/echo/echo_servicer.cc", 'FieldError("payload", "PAYLOAD_TOO_LARGE")')
        expects = Source("services/echo/echo_servicer_test.cc", sends.text)
        self.assertEqual(messages(protos.check_reasons([contract, sends])), [])
        self.assertEqual(messages(protos.check_reasons([contract, expects])), ["PAYLOAD_TOO_LARGE is sent nowhere"])


class TreeTest(unittest.TestCase):
    def test_finds_files_not_yet_added_and_spares_ignored_ones(self):
        with tempfile.TemporaryDirectory() as root:
            subprocess.run(["git", "init", "-q"], cwd=root, check=True)
            pathlib.Path(root, ".gitignore").write_text("ignored.md\n")
            pathlib.Path(root, "ignored.md").write_text("no title\n")
            pathlib.Path(root, "new.md").write_text("no title\n")
            pathlib.Path(root, "picture.png").write_bytes(b"\x89PNG\xff")
            self.assertEqual([each.path for each in tidy.check_tree(root)], ["new.md"])


if __name__ == "__main__":
    unittest.main()
