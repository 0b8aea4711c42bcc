"""clients/python as a folder that can be imported from: its modules and the stubs that its build makes. Import this before
anything that imports `rawgate`, which is then this package."""

import atexit
import pathlib
import shutil
import subprocess
import sys
import tempfile

from tests.harness.program import REPOSITORY

SOURCE = REPOSITORY / "clients/python"


def assemble(folder):
    """What a wheel has, in `folder`."""
    shutil.copytree(SOURCE / "src/rawgate", pathlib.Path(folder) / "rawgate", ignore=shutil.ignore_patterns("*_pb2*", "__pycache__"))
    subprocess.run([sys.executable, SOURCE / "stubs.py", folder], check=True)


FOLDER = tempfile.mkdtemp(prefix="rawgate-python-client-")
atexit.register(shutil.rmtree, FOLDER)
assemble(FOLDER)
sys.path.insert(0, FOLDER)
