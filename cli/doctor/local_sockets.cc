#include "cli/doctor/local_sockets.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace rawgate::cli {
namespace {

namespace fs = std::filesystem;

struct Port {
  bool tcp = false;
  uint16_t number = 0;
};
// By the socket's inode.
using Ports = std::map<std::string, Port>;

// Columns of /proc/net/tcp and udp.
constexpr size_t kLocalAddress = 1;
constexpr size_t kState = 3;
constexpr size_t kInode = 9;
constexpr absl::string_view kListening = "0A";

// Whether an address, as these files have it, is of interest.
using AddressFilter = std::function<bool(absl::string_view address)>;

void ReadPorts(const char* path, bool tcp, const AddressFilter& wanted, Ports& ports) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const std::vector<std::string> cells =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (cells.size() <= kInode || (tcp && cells[kState] != kListening)) continue;
    const std::string& local = cells[kLocalAddress];
    const size_t colon = local.rfind(':');
    uint32_t port = 0;
    if (!wanted(local.substr(0, colon)) || !absl::SimpleHexAtoi(local.substr(colon + 1), &port))
      continue;
    ports[cells[kInode]] = {tcp, static_cast<uint16_t>(port)};
  }
}

Ports ReadAllPorts(const AddressFilter& wanted) {
  Ports ports;
  ReadPorts("/proc/net/tcp", true, wanted, ports);
  ReadPorts("/proc/net/tcp6", true, wanted, ports);
  ReadPorts("/proc/net/udp", false, wanted, ports);
  ReadPorts("/proc/net/udp6", false, wanted, ports);
  return ports;
}

// As /proc/net has addresses: in words of 32 bits, each in the machine's order. Empty for a name.
std::string InProc(const std::string& host) {
  std::array<uint32_t, 4> words{};
  if (::inet_pton(AF_INET, host.c_str(), words.data()) == 1) {
    return absl::StrFormat("%08X", words[0]);
  }
  if (::inet_pton(AF_INET6, host.c_str(), words.data()) != 1) return "";
  return absl::StrFormat("%08X%08X%08X%08X", words[0], words[1], words[2], words[3]);
}

// Whether a socket at `held` keeps others from `wanted`. One at :: has IPv4's addresses, too,
// unless it was told not to, which is not seen here.
bool Overlaps(absl::string_view held, absl::string_view wanted) {
  const auto is_any = [](absl::string_view address) {
    return address.find_first_not_of('0') == address.npos;
  };
  if (wanted.empty() || held == wanted) return true;
  if (held.size() == wanted.size()) return is_any(held) || is_any(wanted);
  return is_any(held.size() > wanted.size() ? held : wanted);
}

std::string NameOf(const fs::path& process) {
  std::ifstream file(process / "comm");
  std::string name;
  std::getline(file, name);
  return name;
}

// Which of `ports` the process has. What cannot be looked at has none.
void AddPorts(const fs::path& process, const Ports& ports, LocalProgram& program) {
  std::set<uint16_t> tcp;
  std::set<uint16_t> udp;
  std::error_code error;
  for (fs::directory_iterator entry(process / "fd", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unreadable;
    const std::string link = fs::read_symlink(entry->path(), unreadable).string();
    absl::string_view inode = link;
    if (unreadable || !absl::ConsumePrefix(&inode, "socket:[") || !absl::ConsumeSuffix(&inode, "]"))
      continue;
    const auto found = ports.find(std::string(inode));
    if (found == ports.end()) continue;
    (found->second.tcp ? tcp : udp).insert(found->second.number);
  }
  program.tcp_ports.assign(tcp.begin(), tcp.end());
  program.udp_ports.assign(udp.begin(), udp.end());
}

template <typename Wanted>
std::vector<LocalProgram> FindPrograms(const AddressFilter& addresses, const Wanted& wanted) {
  const Ports ports = ReadAllPorts(addresses);
  std::vector<LocalProgram> found;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    LocalProgram program;
    if (!absl::SimpleAtoi(entry->path().filename().string(), &program.pid)) continue;
    program.name = NameOf(entry->path());
    AddPorts(entry->path(), ports, program);
    if (wanted(program)) found.push_back(std::move(program));
  }
  std::sort(found.begin(), found.end(),
            [](const LocalProgram& a, const LocalProgram& b) { return a.pid < b.pid; });
  return found;
}

}  // namespace

std::vector<LocalProgram> ProgramsNamed(const std::string& prefix) {
  return FindPrograms(
      [](absl::string_view) { return true; },
      [&prefix](const LocalProgram& program) { return absl::StartsWith(program.name, prefix); });
}

std::vector<LocalProgram> HoldersOf(const RawAddress& address) {
  if (address.is_unix()) return {};
  const std::string wanted = InProc(address.host);
  return FindPrograms([&wanted](absl::string_view held) { return Overlaps(held, wanted); },
                      [&address](const LocalProgram& program) {
                        const auto& ports =
                            address.is_datagram() ? program.udp_ports : program.tcp_ports;
                        return std::find(ports.begin(), ports.end(), address.port) != ports.end();
                      });
}

std::string NamesOf(const std::vector<LocalProgram>& programs) {
  return absl::StrJoin(programs, ", ", [](std::string* text, const LocalProgram& program) {
    absl::StrAppend(text, program.name, " (process ", program.pid, ")");
  });
}

}  // namespace rawgate::cli
