#include "cli/tls_folder.h"

#include <dirent.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "cli/json_text.h"
#include "cli/local_path.h"

namespace rawgate::cli {
namespace {

// Of no other file here, whatever the name before it.
constexpr char kService[] = ".service.pem";
constexpr char kServiceKey[] = ".service-key.pem";

// As a shell takes it for one word.
std::string Word(const std::string& text) {
  const auto plain = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::string_view("/._-+:@%,").find(c) != absl::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return text;
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", R"('\'')"}}), "'");
}

// The same from every folder.
std::string Absolute(const std::string& path) {
  std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr), std::free);
  return resolved == nullptr ? path : resolved.get();
}

// For certificates: nothing that can be called.
bool IsWildcard(const std::string& host) { return absl::StartsWith(host, "*"); }

std::string ToCall(const std::vector<std::string>& hosts) {
  const auto found = std::find_if_not(hosts.begin(), hosts.end(), IsWildcard);
  return found == hosts.end() ? "localhost" : *found;
}

// IPv6 addresses stand in brackets (RFC 3986, 3.2.2).
std::string InAddress(const std::string& host) {
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]") : host;
}

// Of --host more than one machine calls; HTTP answers to names only that it is told.
std::string ListenFlags(const std::vector<std::string>& hosts) {
  std::vector<std::string> names;
  for (const std::string& host : hosts) {
    if (!IsWildcard(host)) names.push_back(InAddress(host));
  }
  return absl::StrCat(
      "    --listen=grpc=tcp://0.0.0.0:50051 \\\n    --http_listen=tcp://0.0.0.0:8088 \\\n",
      names.empty() ? ""
                    : absl::StrCat("    --http_hosts=", Word(absl::StrJoin(names, ",")), " \\\n"));
}

// What is there for services, if any are; `path` makes words of names of files.
template <typename Path>
std::string ServiceSteps(const std::vector<std::string>& services, const Path& path) {
  if (services.empty()) return "";
  std::string text =
      "\nServices that the gateway calls over TLS, each with a certificate for its name:\n";
  for (const std::string& name : services) {
    absl::StrAppend(&text, "  rawgate-SERVICE --rpc_tls \\\n    --tls_certificate=",
                    path(ServiceFile(name)), " \\\n    --tls_key=", path(ServiceKeyFile(name)),
                    " \\\n    --tls_client_ca=", path(kCa), "\n");
  }
  absl::StrAppend(&text, "The gateway is to have --backend_tls_ca=", path(kCa), " then.\n");
  return text;
}

}  // namespace

std::string ServiceFile(const std::string& name) { return absl::StrCat(name, kService); }
std::string ServiceKeyFile(const std::string& name) { return absl::StrCat(name, kServiceKey); }

std::vector<std::string> ServicesIn(const std::string& folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(folder.c_str()), ::closedir);
  if (entries == nullptr) return names;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): of a stream that nobody else has
  while (const dirent* const entry = ::readdir(entries.get())) {
    absl::string_view name = entry->d_name;
    if (absl::ConsumeSuffix(&name, kService) && !name.empty()) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string FolderJson(const std::string& folder, const std::vector<CredentialFile>& files,
                       const std::vector<std::string>& hosts) {
  boost::json::array names;
  for (const CredentialFile& file : files) names.emplace_back(JsonString(file.name));
  boost::json::array served;
  for (const std::string& host : hosts) served.emplace_back(JsonString(host));
  return JsonText(boost::json::object{
      {"folder", JsonString(folder)}, {"files", std::move(names)}, {"hosts", std::move(served)}});
}

std::string NextSteps(const std::string& given, const std::vector<std::string>& more,
                      const std::vector<std::string>& all,
                      const std::vector<std::string>& services) {
  const std::string folder = Absolute(given);
  const auto path = [&folder](const std::string& name) { return Word(Joined(folder, name)); };
  // Other names are for other machines to call.
  const std::string listen = more.empty() ? "" : ListenFlags(more);
  const std::string host = ToCall(more);
  const std::string gateway =
      more.empty() ? "" : absl::StrCat(" --gateway ", Word(InAddress(host)));
  return absl::StrCat(
      "Made in ", folder, ":\n  ", kCa, ", ", kCaKey,
      "          a CA of your own; its key makes certificates: keep it safe\n  ", kServer, ", ",
      kServerKey, "  the gateway's, for ", absl::StrJoin(all, ", "), "\n  ", kClient, ", ",
      kClientKey, "  the user admin's\n  ", kToken, "                       says the same\n  ",
      kAccessFile,
      "            who may do what: admin everything\n\nStart the gateway:\n  rawgate-gateway \\\n",
      listen, "    --tls_certificate=", path(kServer), " \\\n    --tls_key=", path(kServerKey),
      " \\\n    --tls_client_ca=", path(kCa), " \\\n    --access_file=", path(kAccessFile),
      "\n\nCall it, with the token or with the certificate:\n  rawgate", gateway,
      " \\\n    --tls-ca ", path(kCa), " \\\n    --token-file ", path(kToken), " ps\n  rawgate",
      gateway, " \\\n    --tls-ca ", path(kCa), " \\\n    --tls-certificate ", path(kClient),
      " \\\n    --tls-key ", path(kClientKey), " ps\n\nOr by HTTP:\n  curl --cacert ", path(kCa),
      " \\\n    -H \"authorization: Bearer $(cat ", path(kToken),
      ")\" \\\n    -H 'content-type: application/json' -d '{}' \\\n    ",
      Word(absl::StrCat("https://", InAddress(host),
                        ":8088/rawgate.control.v1.ControlService/ListServices")),
      "\n", ServiceSteps(services, path), "\nBefore a year is over:\n  rawgate init-tls --renew ",
      Word(folder), "\n");
}

}  // namespace rawgate::cli
