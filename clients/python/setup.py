"""Adds the stubs, which no repository has, to what is built; everything else is in pyproject.toml."""

import pathlib
import shutil
import sys

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import stubs  # pylint: disable=wrong-import-position


class BuildWithStubs(build_py):
    """Makes them in the build folder; for an editable installation beside the sources, where git does not see them."""

    def run(self) -> None:
        super().run()
        editable = getattr(self, "editable_mode", False)
        stubs.generate(stubs.protos_folder(), HERE / "src" if editable else pathlib.Path(self.build_lib))


class SdistWithProtos(sdist):
    """Brings the contract along, since a source distribution stands alone."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        shutil.copy2(HERE / "stubs.py", base_dir)
        for proto in stubs.protos_in(stubs.protos_folder()):
            target = pathlib.Path(base_dir, "protos", proto)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(stubs.protos_folder() / proto, target)


setup(cmdclass={"build_py": BuildWithStubs, "sdist": SdistWithProtos})
