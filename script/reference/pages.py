"""The pages of docs/api/."""

from reference import errors, examples
from reference.contract import AREAS
from reference.text import Prose, wrap

NOTE = "<!-- Written by script/api_reference.py from the protos: change those. -->"
_LEVELS = {"NO_SIDE_EFFECTS": "changes nothing", "IDEMPOTENT": "may be repeated", "": "not to be repeated blindly"}

_HOW_TO_CALL = """\
With gRPC at port 50051, from stubs of the protos or by reflection; with HTTP at port 8088, as the Connect protocol has it: POST to
`/PACKAGE.SERVICE/METHOD`, the request as JSON, GET where nothing is changed; with `rawgate call` from a shell. In JSON, names of
fields are in lowerCamelCase, bytes in base64, numbers of 64 bits are strings, times RFC 3339 (`"2026-11-26T14:05:33Z"`), durations
seconds (`"1.5s"`), enums the names of their values. What is absent is zero, empty or false."""
_ABOUT_ERRORS = """\
Every error has a canonical code of gRPC, a message for people, and one `google.rpc.ErrorInfo` with the domain `rawgate` and a
reason for programs: one of those below, constant for one cause. What the file system refuses for another cause has errno's name as
its reason, such as `EACCES`. What gRPC itself refuses or ends has no details, or from the gateway the code's name as its reason.
`RetryInfo` says when to try again, `BadRequest` which fields were wrong. Over HTTP the code is in lower case and stands in `code`,
the reason in `details[].debug.reason`."""


def page_name(package):
    return ("bytestream" if package == "google.bytestream" else package.split(".")[1]) + ".md"


def slug(title):
    return title.lower().replace(".", "")


def pages_of(contract):
    """Text by file name."""
    reasons = errors.index(_places(contract))
    pages = {page_name(package): _Area(contract, package, reasons).text() for package in AREAS}
    pages["errors.md"] = _errors_page(contract, reasons)
    pages["README.md"] = _index_page(contract)
    return pages


def _places(contract):
    """Where comments tell of errors."""
    access = next(file for file in contract.files if file.path.endswith("access/v1/access.proto"))
    yield errors.Source("every method at a gateway that asks who calls", page_name(access.package), ""), access.comment
    for service in contract.services:
        page = page_name(service.full_name.rpartition(".")[0])
        yield errors.Source(f"every method of {service.name}", page, slug(service.name)), service.comment
        for method in service.methods:
            yield errors.Source(f"{service.name}.{method.name}", page, slug(method.name)), errors.split(method.comment)[1]


def _prose(contract, package, reasons):
    links = {}
    for full_name, other in contract.types.items():
        if other in AREAS and (other == package or full_name.rpartition(".")[2] not in links):
            name = full_name.removeprefix(f"{other}.")
            links[name] = links[full_name] = f"{'' if other == package else page_name(other)}#{slug(name)}"
    for service in contract.services:
        own = service.full_name.startswith(f"{package}.")
        page = "" if own else page_name(service.full_name.rpartition(".")[0])
        for method in service.methods:
            target = links[f"{service.name}.{method.name}"] = f"{page}#{slug(method.name)}"
            if own or method.name not in links:
                links[method.name] = target
        links[service.name] = links[service.full_name] = f"{page}#{slug(service.name)}"
    return Prose(links, {reason: f"errors.md#{slug(reason)}" for reason in reasons}, errors.CODES)


class _Area:
    """The page of one package."""

    def __init__(self, contract, package, reasons):
        self._contract = contract
        self._package = package
        self._files = contract.of(package)
        self._prose = _prose(contract, package, reasons)

    def text(self):
        blocks = [NOTE, f"# {AREAS[self._package]}: {self._package}"]
        blocks += [self._prose.paragraphs(self._files[0].comment)]
        for service in self._files[0].services:
            blocks += self._service(service)
        for file in self._files:
            if not file.messages and not file.enums:
                continue
            blocks.append(f"## {file.name}")
            if file is not self._files[0]:
                blocks.append(self._prose.paragraphs(file.comment))
            blocks += [block for message in file.messages for block in self._message(message)]
            blocks += [block for enum in file.enums for block in self._enum(enum)]
        return "\n\n".join(block for block in blocks if block) + "\n"

    def _service(self, service):
        rows = [f"| [{method.name}](#{slug(method.name)}) | {method.role} | {_kind(method)} | {_LEVELS[method.idempotency]} |"
                for method in service.methods]
        yield f"## {service.name}"
        yield "\n".join(["| method | role | calls | again |", "|---|---|---|---|", *rows])
        yield self._prose.paragraphs(service.comment, service.name)
        for method in service.methods:
            yield from self._method(method)

    def _method(self, method):
        comment, told = errors.split(method.comment)
        request, response = self._type(method.request), self._type(method.response)
        yield f"### {method.name}"
        yield wrap(f"{'stream of ' if method.client_streaming else ''}{request} → "
                   f"{'stream of ' if method.server_streaming else ''}{response}, for the role **{method.role}**; "
                   f"{_LEVELS[method.idempotency]}.")
        yield self._prose.paragraphs(comment, method.name)
        yield wrap(f"**Errors:** {self._prose.line(told, method.name)}")
        message = self._contract.message(method.request)
        lines = ([examples.curl(method, message)] if method.unary else []) + ([] if method.client_streaming else
                                                                             [examples.call(method, message)])
        yield "\n".join(["```shell", *lines, "```"]) if lines else ""

    def _message(self, message):
        yield f"### {message.name}"
        yield self._prose.paragraphs(message.comment, message.name)
        lines, oneofs = [], {oneof.name: oneof for oneof in message.oneofs}
        for field in message.fields:
            if field.oneof in oneofs:
                oneof = oneofs.pop(field.oneof)
                lines.append(wrap(f"- one of `{oneof.name}`: {self._prose.line(oneof.comment)}", "  "))
            lines.append(self._field(field, message.name))
        yield "\n".join(lines)

    def _field(self, field, message):
        kind = f"`{field.type}`"
        page = self._page_of(field.link)
        if page is not None:
            shown = field.type.rpartition(", ")[2].rstrip(">") if field.type.startswith("map<") else field.type
            kind = f"[{kind}]({page}#{slug(shown)})"
        word = "repeated " if field.repeated else "optional " if field.optional else ""
        indent = "  " if field.oneof else ""
        return indent + wrap(f"- **`{field.name}`** {word}{kind} = {field.number}. {self._prose.line(field.comment, message)}",
                             f"{indent}  ")

    def _enum(self, enum):
        yield f"### {enum.name}"
        yield self._prose.paragraphs(enum.comment, enum.name)
        yield "\n".join(wrap(f"- **`{name}`** = {number}. {self._prose.line(comment)}", "  ")
                        for name, number, comment in enum.values)

    def _type(self, full_name):
        name = full_name.removeprefix(f"{self._package}.")
        return f"[`{name}`]({self._page_of(full_name)}#{slug(name)})"

    def _page_of(self, full_name):
        """"" for this one, None where the type has no page."""
        package = self._contract.types.get(full_name)
        if package not in AREAS:
            return None
        return "" if package == self._package else page_name(package)


def _kind(method):
    return {(False, False): "unary", (False, True): "server streams", (True, False): "client streams",
            (True, True): "both stream"}[method.client_streaming, method.server_streaming]


def _errors_page(contract, reasons):
    prose = _prose(contract, "", {})
    blocks = [NOTE, "# Errors", wrap(_ABOUT_ERRORS)]
    by_code = {code: [reason for reason, entries in reasons.items() if any(clause.code == code for clause, _ in entries)]
               for code in errors.CODES}
    blocks.append("\n".join(wrap(f"- `{code}`: " + ", ".join(f"[{each}](#{slug(each)})" for each in found), "  ")
                            for code, found in by_code.items() if found))
    for reason, entries in reasons.items():
        blocks.append(f"## {reason}")
        lines = []
        for clause, source in entries:
            note = f": {prose.line(clause.note)}" if clause.note else ""
            lines.append(wrap(f"- `{clause.code}` from [{source.title}]({source.link}){note}", "  "))
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _index_page(contract):
    prose = _prose(contract, "", {})
    areas = ["| page | package | what |", "|---|---|---|"]
    for package, title in AREAS.items():
        first = contract.of(package)[0].comment.replace("\n", " ").split(". ")[0].split("; ")[0].rstrip(".")
        areas.append(f"| [{title}]({page_name(package)}) | `{package}` | {prose.line(first)} |")
    roles = next(enum for file in contract.files for enum in file.enums if enum.full_name == "rawgate.access.v1.Role")
    methods = ["| method | role | calls |", "|---|---|---|"]
    for service in contract.services:
        page = page_name(service.full_name.rpartition(".")[0])
        methods += [f"| [{service.name}.{method.name}]({page}#{slug(method.name)}) | {method.role} | {_kind(method)} |"
                    for method in service.methods]
    return "\n\n".join([
        NOTE, "# API reference", "\n".join(areas), "[Errors](errors.md) has every reason that an error can have.",
        "## How to call a method", wrap(_HOW_TO_CALL), "## Roles",
        "\n".join(f"- **{name.removeprefix('ROLE_').lower()}**: {comment}" for name, number, comment in roles.values if number),
        "Each role includes those before it. Without an access file nobody is asked, and the gateway is on loopback only.",
        "## All methods", "\n".join(methods)]) + "\n"
