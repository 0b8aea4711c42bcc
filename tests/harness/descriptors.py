"""The contract as a file: what clients that make their stubs at run time read."""

from google.protobuf import descriptor_pb2

from tests.harness import rpc


def write_descriptor_set(path):
    """A FileDescriptorSet of all areas, of the errors' details, and of everything that they import, imports first."""
    files = descriptor_pb2.FileDescriptorSet()
    seen = set()

    def add(file):
        if file.name in seen:
            return
        seen.add(file.name)
        for dependency in file.dependencies:
            add(dependency)
        file.CopyToProto(files.file.add())

    for module in (rpc.control, rpc.echo, rpc.exec_, rpc.time, rpc.file, rpc.chat, rpc.bytestream, rpc.error_details_pb2):
        for value in list(vars(module).values()):
            if hasattr(value, "DESCRIPTOR") and hasattr(value.DESCRIPTOR, "file"):
                add(value.DESCRIPTOR.file)
    path.write_bytes(files.SerializeToString())
    return path
