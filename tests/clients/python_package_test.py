"""clients/python as a package: built and installed as its README says, without the network, and checked by mypy."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import zipfile

from tests.documents.blocks import pattern_of, steps_of
from tests.harness import python_client
from tests.harness.program import REPOSITORY

PYTHON = "/usr/bin/python3"
USER = """
import rawgate, rawgate.aio

def sizes(client: rawgate.Client) -> list[int]:
    reveal_type(client.run(["true"]).outcome.result)
    return [info.size for info in client.files.list()]

async def first(client: rawgate.aio.Client) -> rawgate.Event | rawgate.Lost:
    return await anext(client.events())
"""


class PackageTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        shutil.copytree(REPOSITORY / "protos", self.folder / "protos")
        shutil.copytree(python_client.SOURCE, self.folder / "clients/python",
                        ignore=shutil.ignore_patterns("build", "*.egg-info", "*_pb2*", "__pycache__"))

    def run_here(self, *command):
        environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "HOME": str(self.folder),
                       "PATH": f"/usr/bin:{os.environ['PATH']}"}
        environment.pop("PYTHONPATH", None)
        ended = subprocess.run(command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               check=False, encoding="utf-8")
        self.assertEqual(ended.returncode, 0, ended.stdout)
        return ended.stdout

    def test_installed_as_the_readme_says(self):
        commands = [step for step in steps_of(python_client.SOURCE / "README.md") if step.language == "sh"]
        self.assertTrue(commands)
        for command in commands:
            with self.subTest(command=command.name):
                printed = self.run_here("bash", "-c", command.text)
                if command.shown:
                    self.assertRegex(printed.rstrip("\n"), rf"\A{pattern_of(command.shown)}\Z")
        (self.folder / "outside").mkdir()
        imported = self.run_here("venv/bin/python", "-c", "import os, rawgate.aio; from rawgate.file.v1 import upload_pb2; "
                                 "print(rawgate.__file__, upload_pb2.__name__)").split()
        self.assertTrue(imported[0].startswith(str(self.folder / "venv")), imported)
        self.assertEqual(imported[1], "rawgate.file.v1.upload_pb2")

    def test_a_source_distribution_stands_alone(self):
        self.run_here(PYTHON, "-c", "import os, runpy, sys; os.chdir('clients/python'); sys.argv = ['setup.py', '-q', 'sdist']; "
                      "runpy.run_path('setup.py')")
        archive, = (self.folder / "clients/python/dist").glob("rawgate-*.tar.gz")
        shutil.unpack_archive(archive, self.folder / "alone")
        source, = (self.folder / "alone").iterdir()
        self.run_here(PYTHON, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "-w", "wheels", str(source))
        wheel, = (self.folder / "wheels").glob("rawgate-*-py3-none-any.whl")
        names = set(zipfile.ZipFile(wheel).namelist())
        self.assertLessEqual({"rawgate/py.typed", "rawgate/aio/__init__.py", "rawgate/file/v1/upload_pb2.py",
                              "rawgate/file/v1/upload_pb2.pyi", "rawgate/_details/status_pb2.py",
                              "rawgate/exec/v1/exec_service_pb2_grpc.py"}, names)
        self.assertFalse([name for name in names if name.startswith(("google/", "stubs", "tests"))])

    def test_types(self):
        """The package strictly, and that whoever uses it has its types."""
        (self.folder / "user.py").write_text(USER, encoding="utf-8")
        python_client.assemble(self.folder / "assembled")
        mypy = ("env", f"MYPYPATH={self.folder}/assembled", PYTHON, "-m", "mypy", "--cache-dir", str(self.folder / "cache"),
                "--config-file", str(python_client.SOURCE / "pyproject.toml"))
        self.run_here(*mypy, "-p", "rawgate")
        told = self.run_here(*mypy, "user.py")
        self.assertIn("rawgate.commands.Exited", told)


if __name__ == "__main__":
    unittest.main()
