"""The contract as a file: what clients that make their stubs at run time read."""

from google.protobuf import descriptor_pb2

from tests.harness import rpc


def _name_for_json(message):
    """Names that protoc writes and CopyToProto() leaves out."""
    for field in message.field:
        first, *rest = field.name.split("_")
        field.json_name = first + "".join(part.capitalize() for part in rest)
    for nested in message.nested_type:
        _name_for_json(nested)


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
        proto = files.file.add()
        file.CopyToProto(proto)
        for message in proto.message_type:
            _name_for_json(message)

    for module in (rpc.control, rpc.echo, rpc.exec_, rpc.time, rpc.file, rpc.chat, rpc.bytestream, rpc.error_details_pb2):
        for value in list(vars(module).values()):
            if hasattr(value, "DESCRIPTOR") and hasattr(value.DESCRIPTOR, "file"):
                add(value.DESCRIPTOR.file)
    path.write_bytes(files.SerializeToString())
    return path
