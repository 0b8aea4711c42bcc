// The list of lessons, each with the Python that cures what it shows.
#include "cli/lab/lessons.h"

#include <algorithm>
#include <vector>

#include "cli/lab/lesson_texts.h"

namespace rawgate::cli::lab {
namespace {

constexpr char kExactly[] = R"(def receive_exactly(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise EOFError("the peer closed in the middle of a message")
        data += piece
    return data)";

constexpr char kSized[] = R"(import struct

def send_message(sock, payload):             # one write: size and payload
    sock.sendall(struct.pack("<i", len(payload)) + payload)

def receive_message(sock):
    (size,) = struct.unpack("<i", receive_exactly(sock, 4))
    if not 0 <= size <= 1 << 20:
        raise ValueError("no size of ours")
    return receive_exactly(sock, size))";

constexpr char kJson[] = R"(header = json.loads(receive_message(sock))    # a size, then the JSON
body = receive_exactly(sock, header["total_size"])
assert hashlib.md5(body).hexdigest() == header["md5"])";

constexpr char kLines[] =
    R"(with sock.makefile("rwb") as stream:      # buffers, finds the ends of lines
    stream.write(b"echo one\n" + b"echo two\n")
    stream.flush()
    first = stream.readline(65536)
    second = stream.readline(65536))";

constexpr char kNoDelay[] =
    R"(sock.sendall(size + request)                  # one write instead of two
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)    # or this)";

constexpr char kHalfClose[] = R"(sock.sendall(request)
sock.shutdown(socket.SHUT_WR)                 # my side is done
answer = b""
while piece := sock.recv(65536):              # until the peer's is, too
    answer += piece
sock.close())";

constexpr char kVanished[] = R"(sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10_000)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
try:
    sock.sendall(request)
    answer = sock.recv(65536)                 # b"" is the end
except (ConnectionResetError, BrokenPipeError, TimeoutError) as gone:
    reconnect(gone))";

constexpr char kDatagrams[] = R"(sock.settimeout(0.5)
for attempt in range(4):
    sock.send(b"%d %b" % (number, request))   # numbered: none is mistaken
    try:
        answer = sock.recv(65536)
        break
    except (TimeoutError, ConnectionRefusedError):
        sock.settimeout(sock.gettimeout() * 2))";

constexpr char kBackPressure[] =
    R"(reader = threading.Thread(target=receive_exactly, args=(sock, len(data)))
reader.start()                            # reads while this thread writes
sock.sendall(data)
reader.join())";

constexpr char kBacklog[] = R"(server = socket.create_server(("127.0.0.1", 0), backlog=128)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,)).start()
# and in a client
sock = socket.create_connection(address, timeout=3))";

constexpr char kUnix[] = R"(sock = socket.socket(socket.AF_UNIX)
sock.connect("/run/echo.sock")
sock.sendall(b"hello")
print(sock.recv(1024)))";

std::vector<Lesson> MakeLessons() {
  const auto coalescing = CoalescingTexts();
  const auto framing = FramingTexts();
  const auto vanished = VanishedTexts();
  return {
      {"coalescing", false, {RunCoalescingSender, RunCoalescingReceiver}, coalescing, kExactly},
      {"coalescing-sender", true, {RunCoalescingSender}, coalescing, kSized},
      {"coalescing-receiver", true, {RunCoalescingReceiver}, coalescing, kExactly},
      {"framing",
       false,
       {RunFramingLength, RunFramingHeader, RunFramingDelimiter},
       framing,
       kSized},
      {"framing-length", true, {RunFramingLength}, framing, kSized},
      {"framing-json", true, {RunFramingHeader}, framing, kJson},
      {"framing-delimiter", true, {RunFramingDelimiter}, framing, kLines},
      {"nagle", false, {RunNagle}, NagleTexts(), kNoDelay},
      {"half-close", false, {RunHalfClose}, HalfCloseTexts(), kHalfClose},
      {"vanished",
       false,
       {RunVanishedProcess, RunVanishedService, RunVanishedMachine, RunVanishedDatagrams},
       vanished,
       kVanished},
      {"vanished-process", true, {RunVanishedProcess}, vanished, kVanished},
      {"vanished-service", true, {RunVanishedService}, vanished, kVanished},
      {"vanished-machine", true, {RunVanishedMachine}, vanished, kVanished},
      {"vanished-udp", true, {RunVanishedDatagrams}, vanished, kDatagrams},
      {"back-pressure", false, {RunBackPressure}, BackPressureTexts(), kBackPressure},
      {"backlog", false, {RunBacklog}, BacklogTexts(), kBacklog},
      {"udp", false, {RunDatagrams}, DatagramsTexts(), kDatagrams},
      {"latency", false, {RunLatency}, LatencyTexts(), kUnix},
  };
}

}  // namespace

const std::vector<Lesson>& Lessons() {
  static const std::vector<Lesson>& lessons = *new std::vector<Lesson>(MakeLessons());
  return lessons;
}

const Lesson* FindLesson(absl::string_view id) {
  const auto& lessons = Lessons();
  const auto found = std::find_if(lessons.begin(), lessons.end(),
                                  [&](const Lesson& lesson) { return lesson.id == id; });
  return found == lessons.end() ? nullptr : &*found;
}

}  // namespace rawgate::cli::lab
