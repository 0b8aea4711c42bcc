"""Makes the Python stubs of rawgate's protos: `python3 stubs.py FOLDER` writes them to FOLDER/rawgate/.

The protos' own packages are rawgate.echo.v1, rawgate.exec.v1 and so on. Their stubs become part of this package, beside its
modules, so that `from rawgate.file.v1 import upload_pb2` is what it is for everybody who makes stubs of these protos. No module
of this package may therefore be called echo, exec, time, file, chat, control or access.

google.rpc, in which errors say their reasons, is different: googleapis-common-protos has it too, and a process may know each
name once. It gets a name of ours, rawgate._details; on the wire it is the same.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SHARED = "google/rpc"
OURS = "rawgate/_details"


def protos_folder() -> pathlib.Path:
    """Beside this file in a source distribution, else the repository's."""
    own = HERE / "protos"
    return own if own.is_dir() else HERE.parents[1] / "protos"


def protos_in(folder: pathlib.Path) -> list[str]:
    """Those that a client needs, relative to `folder`: the services, what they import, and the details of errors."""
    found = {str(path.relative_to(folder)) for path in folder.glob("rawgate/*/v1/*_service.proto")}
    found |= {str(path.relative_to(folder)) for path in folder.glob(f"{SHARED}/*.proto")}
    waiting = sorted(found)
    while waiting:
        text = (folder / waiting.pop()).read_text(encoding="utf-8")
        imported = {name for name in re.findall(r'^import "([^"]+)";', text, re.MULTILINE) if (folder / name).exists()}
        waiting += sorted(imported - found)
        found |= imported
    return sorted(found)


def generate(protos: pathlib.Path, target: pathlib.Path) -> None:
    """Messages, their types, and the stubs of services. Raises CalledProcessError where the compiler fails."""
    with tempfile.TemporaryDirectory() as scratch:
        staging = pathlib.Path(scratch)
        for proto in protos_in(protos):
            renamed = staging / proto.replace(SHARED, OURS)
            renamed.parent.mkdir(parents=True, exist_ok=True)
            text = (protos / proto).read_text(encoding="utf-8")
            renamed.write_text(re.sub(r"\bgoogle\.rpc\b", "rawgate._details", text.replace(SHARED, OURS)), encoding="utf-8")
        names = sorted(str(path.relative_to(staging)) for path in staging.rglob("*.proto"))
        services = [name for name in names if name.endswith("_service.proto")]
        target.mkdir(parents=True, exist_ok=True)
        _compile(staging, names, f"--python_out={target}", f"--pyi_out={target}")
        _compile(staging, services, *_grpc_options(target))
    for folder in sorted({(target / name).parent for name in names}):
        for package in (folder, folder.parent):
            if package != target / "rawgate":
                (package / "__init__.py").write_text('"""Generated from the protos."""\n', encoding="utf-8")


def _has_protoc() -> bool:
    return bool(shutil.which("protoc") and shutil.which("grpc_python_plugin"))


def _grpc_options(target: pathlib.Path) -> list[str]:
    if not _has_protoc():
        return [f"--grpc_python_out={target}"]
    return [f"--grpc_out={target}", f"--plugin=protoc-gen-grpc={shutil.which('grpc_python_plugin')}"]


def _compile(protos: pathlib.Path, names: list[str], *options: str) -> None:
    # A distribution's protoc fits its own protobuf; elsewhere grpcio-tools, which pyproject.toml asks for, has one.
    compiler = ["protoc"] if _has_protoc() else [sys.executable, "-m", "grpc_tools.protoc", f"-I{_well_known()}"]
    subprocess.run([*compiler, f"-I{protos}", *options, *names], check=True)


def _well_known() -> pathlib.Path:
    import grpc_tools  # pylint: disable=import-outside-toplevel

    return pathlib.Path(grpc_tools.__file__).parent / "_proto"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    generate(protos_folder(), pathlib.Path(sys.argv[1]))
