// rawgate init-tls.

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/access_user.h"
#include "cli/certificates.h"
#include "cli/command.h"
#include "cli/credential_files.h"
#include "cli/display_text.h"
#include "cli/local_path.h"
#include "cli/tls_folder.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

constexpr char kAdminUri[] = "urn:rawgate:client:admin";
constexpr mode_t kPublic = 0644;
constexpr size_t kPemMax = 64 << 10;

struct Options {
  std::string folder;
  std::vector<std::string> hosts;
  bool renew = false;
};

// The gateway's: also what it shows to services, whose clients it is alone.
Subject ServerSubject(const std::vector<std::string>& hosts) {
  return {.common_name = "rawgate gateway",
          .hosts = hosts,
          .uri = "urn:rawgate:gateway",
          .server = true,
          .client = true};
}

Subject ClientSubject() {
  return {.common_name = "admin", .hosts = {}, .uri = kAdminUri, .server = false, .client = true};
}

std::vector<std::string> AllHosts(std::vector<std::string> known,
                                  const std::vector<std::string>& more) {
  for (const std::string& host : more) {
    if (std::find(known.begin(), known.end(), host) == known.end()) known.push_back(host);
  }
  return known;
}

// Who signs.
struct Authority {
  Certificate certificate;
  PrivateKey key;
};

absl::Status Sign(const Subject& subject, const std::string& name, EVP_PKEY& key,
                  const Authority& authority, std::vector<CredentialFile>* files,
                  absl::Time* end = nullptr) {
  const auto certificate = MakeCertificate(subject, key, *authority.certificate, *authority.key);
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<std::string> pem = ToPem(**certificate);
  if (!pem.ok()) return pem.status();
  files->push_back({name, *std::move(pem), kPublic});
  if (end != nullptr) *end = ValidityOf(**certificate).end;
  return absl::OkStatus();
}

absl::StatusOr<PrivateKey> NewKey(const std::string& name, std::vector<CredentialFile>* files) {
  absl::StatusOr<PrivateKey> key = MakeKey();
  if (!key.ok()) return key.status();
  absl::StatusOr<std::string> pem = ToPem(**key);
  if (!pem.ok()) return pem.status();
  files->push_back({name, *std::move(pem)});
  return key;
}

absl::StatusOr<Authority> NewAuthority(std::vector<CredentialFile>* files) {
  absl::StatusOr<PrivateKey> key = NewKey(kCaKey, files);
  if (!key.ok()) return key.status();
  absl::StatusOr<Certificate> certificate = MakeAuthority(**key);
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<std::string> pem = ToPem(**certificate);
  if (!pem.ok()) return pem.status();
  files->push_back({kCa, *std::move(pem), kPublic});
  return Authority{*std::move(certificate), *std::move(key)};
}

absl::StatusOr<std::vector<CredentialFile>> NewFiles(const std::vector<std::string>& hosts) {
  std::vector<CredentialFile> files;
  const absl::StatusOr<Authority> authority = NewAuthority(&files);
  if (!authority.ok()) return authority.status();
  for (const auto& [subject, name, key_name] :
       {std::tuple(ServerSubject(hosts), kServer, kServerKey),
        std::tuple(ClientSubject(), kClient, kClientKey)}) {
    const absl::StatusOr<PrivateKey> key = NewKey(key_name, &files);
    if (!key.ok()) return key.status();
    if (absl::Status made = Sign(subject, name, **key, *authority, &files); !made.ok()) return made;
  }
  const absl::StatusOr<std::string> token = MakeToken();
  if (!token.ok()) return token.status();
  files.push_back({kToken, absl::StrCat(*token, "\n")});
  files.push_back(
      {kAccessFile, absl::StrCat("# Who may use the gateway; read again when it changes. 'rawgate "
                                 "new-token' makes more.\n",
                                 AccessUserText("admin", rpc::Role::kAdmin, *token, kAdminUri))});
  return files;
}

absl::StatusOr<int> Init(const Options& options, const Console& console) {
  const std::vector<std::string> hosts = AllHosts({"localhost", "127.0.0.1", "::1"}, options.hosts);
  const absl::StatusOr<std::vector<CredentialFile>> files = NewFiles(hosts);
  if (!files.ok()) return files.status();
  if (absl::Status made = MakePrivateFolder(options.folder); !made.ok()) return made;
  if (absl::Status written = WriteNewFiles(options.folder, *files); !written.ok()) return written;
  if (absl::Status told = console.Out(NextSteps(options.folder, options.hosts, hosts)); !told.ok())
    return told;
  return 0;
}

std::string DateText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone());
}

template <typename Parsed>
absl::StatusOr<Parsed> Load(const std::string& folder, const char* name,
                            absl::StatusOr<Parsed> (*parse)(absl::string_view)) {
  const std::string path = Joined(folder, name);
  const absl::StatusOr<std::string> pem = ReadSmallFile(path, kPemMax);
  if (!pem.ok()) return pem.status();
  absl::StatusOr<Parsed> parsed = parse(*pem);
  if (parsed.ok()) return parsed;
  return absl::Status(parsed.status().code(),
                      absl::StrCat(Quoted(path), ": ", parsed.status().message()));
}

absl::StatusOr<Authority> LoadAuthority(const std::string& folder) {
  absl::StatusOr<Certificate> certificate = Load(folder, kCa, CertificateFromPem);
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<PrivateKey> key = Load(folder, kCaKey, KeyFromPem);
  if (!key.ok()) return key.status();
  if (!KeyFits(**certificate, **key)) {
    return Error(absl::StatusCode::kFailedPrecondition, "BAD_PEM",
                 absl::StrCat(Quoted(Joined(folder, kCaKey)), " is not the key of ",
                              Quoted(Joined(folder, kCa)), ", and nothing was changed"));
  }
  if (const absl::Time end = ValidityOf(**certificate).end; end <= absl::Now()) {
    return Error(absl::StatusCode::kFailedPrecondition, "AUTHORITY_EXPIRED",
                 absl::StrCat(Quoted(Joined(folder, kCa)), " expired on ", DateText(end),
                              ": 'rawgate init-tls' with a new folder makes another CA, which "
                              "clients need then"));
  }
  return Authority{*std::move(certificate), *std::move(key)};
}

// New certificates for the keys that there are, so that a certificate fits its key at any moment.
absl::StatusOr<int> Renew(const Options& options, const Console& console) {
  const absl::StatusOr<Authority> authority = LoadAuthority(options.folder);
  if (!authority.ok()) return authority.status();
  const absl::StatusOr<Certificate> server = Load(options.folder, kServer, CertificateFromPem);
  if (!server.ok()) return server.status();
  const std::vector<std::string> hosts = AllHosts(HostsOf(**server), options.hosts);
  std::vector<CredentialFile> files;
  absl::Time end;
  for (const auto& [subject, name, key_name] :
       {std::tuple(ServerSubject(hosts), kServer, kServerKey),
        std::tuple(ClientSubject(), kClient, kClientKey)}) {
    const absl::StatusOr<PrivateKey> key = Load(options.folder, key_name, KeyFromPem);
    if (!key.ok()) return key.status();
    if (absl::Status made = Sign(subject, name, **key, *authority, &files, &end); !made.ok())
      return made;
  }
  for (const CredentialFile& file : files) {
    if (absl::Status put = ReplaceFile(options.folder, file); !put.ok()) return put;
  }
  const absl::Status told = console.Out(
      absl::StrCat("New until ", DateText(end), ": ", kServer, ", for ", absl::StrJoin(hosts, ", "),
                   "; ", kClient, ".\nA gateway that runs takes them by itself.\n"));
  if (!told.ok()) return told;
  return 0;
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate init-tls ~/rawgate-tls --host lab --host 192.0.2.7
  rawgate init-tls --renew ~/rawgate-tls

Makes a private CA, certificates for the gateway and for a user "admin", the
user's token and the file that says who may do what, and prints how to use
them. A file that is there already is never replaced, but for both certificates
by --renew.)";

}  // namespace

void AddInitTlsCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("init-tls", "Make what a gateway off loopback needs");
  command->group(kAccessGroup)->footer(kExamples);
  command->add_option("FOLDER", options->folder, "Where to put it; made if it is not there")
      ->type_name(kLocalFile)
      ->required();
  command
      ->add_option("--host", options->hosts,
                   "A name or IP address that clients call the gateway\nby, besides localhost; may "
                   "be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command->add_flag("--renew", options->renew, "New certificates from the CA that is there");
  command->callback([&chosen, options] {
    for (const std::string& host : options->hosts) {
      if (const absl::Status good = CheckHost(host); !good.ok())
        throw CLI::ValidationError(absl::StrCat("--host ", good.message()));
    }
    chosen.needs_gateway = false;
    chosen.run = [options](Context& context) {
      return options->renew ? Renew(*options, context.console) : Init(*options, context.console);
    };
  });
}

}  // namespace rawgate::cli
