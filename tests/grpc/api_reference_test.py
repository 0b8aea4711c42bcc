"""docs/api/: what it is made of, and that every command line that it shows is understood by a gateway, whose errors are those
that the page names."""

import collections
import json
import re
import subprocess
import sys
import tempfile
import unittest

from google.protobuf import descriptor_pb2, json_format, message_factory

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE
from tests.harness.program import REPOSITORY
from tests.harness.stack import HTTP, LISTENERS, Stack

sys.path.insert(0, str(REPOSITORY / "script"))

# pylint: disable=wrong-import-position
from reference import errors, examples
from reference.contract import AREAS, Contract
from reference.pages import page_name, pages_of

contract = None


def setUpModule():
    global contract
    contract = Contract.read(REPOSITORY / "protos")


class ErrorsTest(unittest.TestCase):
    def told(self, text):
        return [(clause.code, clause.reason, clause.note) for clause in errors.clauses(text)]

    def test_reasons_and_notes(self):
        self.assertEqual(self.told("INVALID_ARGUMENT (TOO_LONG: over 1 MiB; BAD_NAME), ABORTED (TAKEN_OVER, or STALLED when it\n"
                                   "stalled; with RetryInfo)."),
                         [("INVALID_ARGUMENT", "TOO_LONG", "over 1 MiB"), ("INVALID_ARGUMENT", "BAD_NAME", ""),
                          ("ABORTED", "TAKEN_OVER", ""), ("ABORTED", "STALLED", "when it stalled; with RetryInfo")])
        self.assertEqual(self.told("as Echo, and RESOURCE_EXHAUSTED, with RetryInfo (TOO_MANY (of them): now)"),
                         [("RESOURCE_EXHAUSTED", "TOO_MANY", "(of them): now")])

    def test_what_is_no_reason(self):
        self.assertEqual(self.told("a state (SERVICE_STATE_UNREACHABLE), PERMISSION_DENIED (EACCES), NOT_FOUND (NO_FILE: a NUL, "
                                   "or MD5 in it)"), [("NOT_FOUND", "NO_FILE", "a NUL, or MD5 in it")])


class PagesTest(unittest.TestCase):
    def test_titles_are_unique_on_their_page(self):
        for name, page in pages_of(contract).items():
            titles = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
            self.assertEqual([title for title, count in collections.Counter(map(str.lower, titles)).items() if count > 1], [], name)

    def test_everything_is_there(self):
        pages = pages_of(contract)
        for package in AREAS:
            page = pages[page_name(package)]
            for file in contract.of(package):
                for kind in (*file.messages, *file.enums):
                    self.assertIn(f"\n### {kind.name}\n", page)
                for field in (field for message in file.messages for field in message.fields):
                    self.assertIn(f"- **`{field.name}`** ", page)
        self.assertEqual({file.package for file in contract.files} - {"google.rpc"}, set(AREAS))

    def test_roles_are_those_of_the_descriptors(self):
        from rawgate.access.v1 import access_pb2  # pylint: disable=import-outside-toplevel

        option = access_pb2.required_role
        for module in (rpc.control_service_pb2, rpc.file_service_pb2, rpc.exec_service_pb2, rpc.bytestream_pb2):
            for service in module.DESCRIPTOR.services_by_name.values():
                ours = next(each for each in contract.services if each.full_name == service.full_name)
                for method in ours.methods:
                    role = service.methods_by_name[method.name].GetOptions().Extensions[option]
                    self.assertEqual(f"ROLE_{method.role.upper()}", access_pb2.Role.Name(role))


class ExamplesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.stop)
        for service in LISTENERS:
            cls.stack.start_service(service, *(["--test_clock"] if service == "time" else []))
        cls.stack.start_gateway(HTTP)
        client = rpc.client_of(cls.stack)
        client.close()

    def test_curl(self):
        for service in contract.services:
            common = {clause.reason for clause in errors.clauses(service.comment)}
            for method in service.methods:
                if not method.unary:
                    continue
                with self.subTest(method=f"{service.name}.{method.name}"):
                    line = examples.curl(method, contract.message(method.request), self.stack.http("gateway")[1])
                    ended = subprocess.run(["bash", "-c", f"exec {line} --silent"], check=True, capture_output=True,
                                           timeout=PATIENCE)
                    answer = json.loads(ended.stdout)
                    if "code" in answer:
                        reason = answer["details"][0]["debug"]["reason"]
                        named = {clause.reason for clause in errors.clauses(errors.split(method.comment)[1])}
                        self.assertIn(reason, named | common, answer)

    def test_requests_are_of_the_contract(self):
        with tempfile.NamedTemporaryFile() as output:
            subprocess.run(["protoc", f"-I{REPOSITORY / 'protos'}", "--include_imports", f"--descriptor_set_out={output.name}",
                            *(file.path for file in contract.files)], check=True)
            files = descriptor_pb2.FileDescriptorSet.FromString(output.read())
        messages = message_factory.GetMessages(files.file)
        for service in contract.services:
            for method in service.methods:
                with self.subTest(method=f"{service.name}.{method.name}"):
                    request = examples.request(contract.message(method.request))
                    json_format.Parse(examples.as_json(request), messages[method.request]())


if __name__ == "__main__":
    unittest.main()
