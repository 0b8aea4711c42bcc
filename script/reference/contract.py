"""The protos as protoc understands them, with the comments that stand above each thing."""

import dataclasses
import functools
import pathlib
import re
import subprocess
import tempfile

from google.protobuf import descriptor_pb2

# The packages that have a page, in the order of the index, and what they are to people.
AREAS = {
    "rawgate.echo.v1": "Echo", "rawgate.exec.v1": "Commands", "rawgate.time.v1": "Time", "rawgate.file.v1": "Files",
    "rawgate.chat.v1": "Chat", "rawgate.control.v1": "Control and events", "google.bytestream": "ByteStream",
    "rawgate.access.v1": "Access",
}
ROLE_OPTION = 50510
# Field numbers in descriptor.proto, of which the paths of source_code_info are made.
_MESSAGE, _ENUM, _SERVICE, _SYNTAX, _NESTED, _NESTED_ENUM = 4, 5, 6, 12, 3, 4
_FIELD, _VALUE, _METHOD, _ONEOF = 2, 2, 2, 8
_PATTERN_OF_ROLE = re.compile(r"^\s*ROLE_(\w+) = (\d+)", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Field:
    name: str
    number: int
    # As in the proto: "string", "Duration", "map<string, uint64>"; `link` is the full name of a type of ours.
    type: str
    link: str
    repeated: bool
    optional: bool
    oneof: str
    comment: str


@dataclasses.dataclass(frozen=True)
class Oneof:
    name: str
    comment: str


@dataclasses.dataclass(frozen=True)
class Message:
    name: str
    full_name: str
    comment: str
    fields: tuple
    oneofs: tuple


@dataclasses.dataclass(frozen=True)
class Enum:
    name: str
    full_name: str
    comment: str
    # Triples of name, number, comment.
    values: tuple


@dataclasses.dataclass(frozen=True)
class Method:
    name: str
    service: str
    comment: str
    request: str
    response: str
    client_streaming: bool
    server_streaming: bool
    # "operator", and "NO_SIDE_EFFECTS", "IDEMPOTENT" or "".
    role: str
    idempotency: str

    @property
    def unary(self):
        return not (self.client_streaming or self.server_streaming)

    @property
    def short_service(self):
        return self.service.rpartition(".")[2]


@dataclasses.dataclass(frozen=True)
class Service:
    name: str
    full_name: str
    comment: str
    methods: tuple


@dataclasses.dataclass(frozen=True)
class File:
    path: str
    package: str
    comment: str
    services: tuple
    messages: tuple
    enums: tuple

    @property
    def name(self):
        return pathlib.PurePosixPath(self.path).name


@dataclasses.dataclass(frozen=True)
class Contract:
    files: tuple

    @classmethod
    def read(cls, folder):
        """Everything below `folder`. Raises CalledProcessError where protoc does not understand it."""
        folder = pathlib.Path(folder)
        names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.proto"))
        with tempfile.NamedTemporaryFile() as output:
            subprocess.run(["protoc", f"-I{folder}", "--include_imports", "--include_source_info",
                            f"--descriptor_set_out={output.name}", *names], check=True)
            files = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(output.name).read_bytes())
        roles = {int(number): name.lower() for name, number in
                 _PATTERN_OF_ROLE.findall((folder / "rawgate/access/v1/access.proto").read_text(encoding="utf-8"))}
        return cls(tuple(_Reader(file, roles).file() for file in files.file if file.name in names))

    def of(self, package):
        """Its files, that of the service first."""
        return sorted((file for file in self.files if file.package == package), key=lambda file: (not file.services, file.path))

    @functools.cached_property
    def services(self):
        return [service for package in AREAS for file in self.of(package) for service in file.services]

    @functools.cached_property
    def types(self):
        """The packages of all messages and enums, by full name."""
        return {kind.full_name: file.package for file in self.files for kind in (*file.messages, *file.enums)}

    def message(self, full_name):
        return next(message for file in self.files for message in file.messages if message.full_name == full_name)


class _Reader:
    """One file."""

    def __init__(self, proto, roles):
        self._proto = proto
        self._roles = roles
        self._comments = {tuple(place.path): place.leading_comments for place in proto.source_code_info.location
                          if place.leading_comments}
        self._entries = {}

    def file(self):
        messages, enums = [], []
        for index, message in enumerate(self._proto.message_type):
            self._types(message, f"{self._proto.package}.{message.name}", message.name, (_MESSAGE, index), messages, enums)
        for index, enum in enumerate(self._proto.enum_type):
            enums.append(self._enum(enum, f"{self._proto.package}.{enum.name}", enum.name, (_ENUM, index)))
        services = [self._service(service, (_SERVICE, index)) for index, service in enumerate(self._proto.service)]
        comment = self._comment((_SYNTAX,))
        return File(self._proto.name, self._proto.package, comment, tuple(services), tuple(messages), tuple(enums))

    def _comment(self, path):
        return "\n".join(line.removeprefix(" ").rstrip() for line in self._comments.get(path, "").splitlines()).strip("\n")

    def _types(self, message, full_name, name, path, messages, enums):
        """The message and what is nested in it."""
        for nested in message.nested_type:
            if nested.options.map_entry:
                self._entries[f".{full_name}.{nested.name}"] = nested
        messages.append(self._message(message, full_name, name, path))
        for index, enum in enumerate(message.enum_type):
            enums.append(self._enum(enum, f"{full_name}.{enum.name}", f"{name}.{enum.name}", (*path, _NESTED_ENUM, index)))
        for index, nested in enumerate(message.nested_type):
            if not nested.options.map_entry:
                self._types(nested, f"{full_name}.{nested.name}", f"{name}.{nested.name}", (*path, _NESTED, index), messages, enums)

    def _message(self, message, full_name, name, path):
        fields = [self._field(message, field, (*path, _FIELD, index)) for index, field in enumerate(message.field)]
        used = {field.oneof for field in fields}
        oneofs = [Oneof(oneof.name, self._comment((*path, _ONEOF, index))) for index, oneof in enumerate(message.oneof_decl)
                  if oneof.name in used]
        return Message(name, full_name, self._comment(path), tuple(fields), tuple(oneofs))

    def _field(self, message, field, path):
        entry = self._entries.get(field.type_name)
        if entry:
            kind, link = f"map<{self._type(entry.field[0])}, {self._type(entry.field[1])}>", entry.field[1].type_name
        else:
            kind, link = self._type(field), field.type_name
        real_oneof = field.HasField("oneof_index") and not field.proto3_optional
        return Field(field.name, field.number, kind, link.removeprefix("."), not entry and field.label == field.LABEL_REPEATED,
                     field.proto3_optional, message.oneof_decl[field.oneof_index].name if real_oneof else "",
                     self._comment(path))

    @staticmethod
    def _type(field):
        if field.type_name:
            return re.sub(r"^.*?(?=[A-Z])", "", field.type_name)
        return descriptor_pb2.FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()

    def _enum(self, enum, full_name, name, path):
        values = ((value.name, value.number, self._comment((*path, _VALUE, index))) for index, value in enumerate(enum.value))
        return Enum(name, full_name, self._comment(path), tuple(values))

    def _service(self, service, path):
        full_name = f"{self._proto.package}.{service.name}"
        methods = (self._method(method, full_name, (*path, _METHOD, index)) for index, method in enumerate(service.method))
        return Service(service.name, full_name, self._comment(path), tuple(methods))

    def _method(self, method, service, path):
        # The option is none that this program has a type for: it is among the unknown fields, as number and value.
        role = _varint_field(method.options.SerializeToString(), ROLE_OPTION)
        level = method.options.IdempotencyLevel.Name(method.options.idempotency_level)
        return Method(method.name, service, self._comment(path), method.input_type[1:], method.output_type[1:],
                      method.client_streaming, method.server_streaming, self._roles[role],
                      "" if level == "IDEMPOTENCY_UNKNOWN" else level)


def _varint_field(data, number):
    """The value of a field of a serialized message whose fields are all varints."""
    numbers, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(value)
            value, shift = 0, 0
    return dict(zip((key >> 3 for key in numbers[::2]), numbers[1::2]))[number]
