"""The languages of examples/: what an example is there, how it is made ready and run, and what its own tools say of it."""

import os
import pathlib
import shutil
import subprocess
import sys

from tests.harness.deadlines import PATIENCE
from tests.harness.program import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
# What is built of them, and what npm has installed for them (tests/CMakeLists.txt).
BUILT = pathlib.Path(os.environ.get("RAWGATE_EXAMPLES_DIR", REPOSITORY / "build/release/examples"))
STUBS = os.environ.get("RAWGATE_STUB_DIR", str(REPOSITORY / "build/release/tests/python"))


def run_tool(*command, **options):
    """A compiler or a checker, which must be content; returns what it prints."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                          timeout=5 * PATIENCE, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def link(path, target):
    if not path.is_symlink():
        path.symlink_to(target)


class Language:
    """One folder of examples/. `typed` is the suffix of those that use the gateway, `suffix` that of sources."""

    typed = "grpc"

    def __init__(self):
        self.environment = {}

    @property
    def folder(self):
        return EXAMPLES / self.name

    def sources(self):
        return sorted(self.folder.glob(f"*{self.suffix}"))

    def examples(self):
        """Names of the programs, such as echo_raw: what has an underscore is one, else it is shared by several."""
        return {path.stem for path in self.sources() if "_" in path.stem}

    def prepare(self):
        """Builds what has to be built."""

    def address(self, host, *ports):
        """What a raw example's command line has for it."""
        return [host, *map(str, ports)]

    def gateway(self, grpc, http):
        """What a typed example's command line has for it."""
        del http
        return grpc


class Python(Language):
    name, suffix = "python", ".py"

    def __init__(self):
        super().__init__()
        self.environment = {"PYTHONPATH": STUBS}

    def command(self, example):
        return [sys.executable, str(self.folder / f"{example}.py")]

    def check_style(self):
        run_tool(sys.executable, "-m", "py_compile", *self.sources())


class Node(Language):
    """Run as a copy, beside the packages that npm has installed, which a program looks for around itself."""

    name, suffix = "node", ".mjs"
    tree = BUILT / "node/examples/node"

    def prepare(self):
        for source in self.sources():
            shutil.copy(source, self.tree)
        link(self.tree.parents[1] / "protos", REPOSITORY / "protos")

    def command(self, example):
        return ["node", str(self.tree / f"{example}.mjs")]

    def check_style(self):
        for source in self.sources():
            run_tool("node", "--check", source)


class Go(Language):
    """Built with Debian's packages of Go, without modules: a folder `rawgate` with their folders and generated ones."""

    name, suffix = "go", ".go"
    path = BUILT / "go"

    def __init__(self):
        super().__init__()
        self.build_environment = {**os.environ, "GO111MODULE": "off", "GOPATH": f"{self.path}:/usr/share/gocode",
                                  "GOCACHE": str(self.path / "cache"), "GOFLAGS": ""}

    def sources(self):
        # Not what somebody has generated there.
        return sorted(path for path in self.folder.glob("*/*.go"))

    def examples(self):
        return {path.parent.name for path in self.sources() if "_" in path.parent.name}

    def prepare(self):
        generated = self.path / "src"
        (generated / "rawgate").mkdir(parents=True, exist_ok=True)
        protos = sorted((REPOSITORY / "protos/rawgate").glob("*/v1/*.proto"))
        run_tool("protoc", "-I", REPOSITORY / "protos", f"--go_out={generated}", f"--go-grpc_out={generated}", *protos)
        for folder in {source.parent for source in self.sources()}:
            link(generated / "rawgate" / folder.name, folder)
        (self.path / "bin").mkdir(exist_ok=True)
        self._go("build", "-o", f"{self.path}/bin/", *(f"rawgate/{example}" for example in self.examples()))

    def _go(self, *arguments):
        return run_tool("go", *arguments, env=self.build_environment, cwd=self.path)

    def command(self, example):
        return [str(self.path / "bin" / example)]

    def address(self, host, *ports):
        return [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for port in ports]

    def check_style(self):
        misformatted = run_tool("gofmt", "-l", self.folder)
        if misformatted:
            raise AssertionError(f"gofmt would change {misformatted}")
        self._go("vet", *sorted({f"rawgate/{source.parent.name}" for source in self.sources()}))


class Cpp(Language):
    """Built by our own build; clang-format belongs to script/lint."""

    name, suffix = "cpp", ".cc"

    def sources(self):
        return sorted([*self.folder.glob("*.cc"), *self.folder.glob("*.h")])

    def command(self, example):
        return [str(BUILT / "cpp/bin" / example)]

    def check_style(self):
        """That it is a project of its own, too, and that this builds, as far as a few seconds go: not all stubs."""
        alone = BUILT / "cpp-alone"
        run_tool("cmake", "-S", self.folder, "-B", alone, "-G", "Ninja")
        typed = "CMakeFiles/example_echo_grpc.dir/echo_grpc.cc.o"
        run_tool("cmake", "--build", alone, "--parallel", "1", "--target", "example_exec_raw", typed)


class Shell(Language):
    name, suffix, typed = "shell", ".sh", "curl"

    def command(self, example):
        return ["bash", str(self.folder / f"{example}.sh")]

    def gateway(self, grpc, http):
        return f"http://{http}"

    def check_style(self):
        """shellcheck belongs to script/lint."""
        for source in self.sources():
            run_tool("bash", "-n", source)
