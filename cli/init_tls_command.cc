// rawgate init-tls.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/access_user.h"
#include "cli/certificates.h"
#include "cli/command.h"
#include "cli/credential_files.h"
#include "cli/display_text.h"
#include "cli/local_path.h"
#include "cli/output_format.h"
#include "cli/tls_folder.h"
#include "cli/tls_identities.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

constexpr mode_t kPublic = 0644;
constexpr size_t kPemMax = 64 << 10;

// Of one service: the first names its files.
using ServiceNames = std::vector<std::string>;

struct Options {
  std::string folder;
  std::vector<std::string> hosts;
  // As given, of names with commas between them.
  std::vector<std::string> services;
  bool renew = false;
  OutputFormat format = OutputFormat::kText;
};

// Who signs.
struct Authority {
  Certificate certificate;
  PrivateKey key;
};

absl::Status Sign(const Identity& identity, EVP_PKEY& key, const Authority& authority,
                  std::vector<CredentialFile>* files, absl::Time* end = nullptr) {
  const auto certificate =
      MakeCertificate(identity.subject, key, *authority.certificate, *authority.key);
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<std::string> pem = ToPem(**certificate);
  if (!pem.ok()) return pem.status();
  files->push_back({identity.certificate, *std::move(pem), kPublic});
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

absl::Status SignWithNewKey(const Identity& identity, const Authority& authority,
                            std::vector<CredentialFile>* files) {
  const absl::StatusOr<PrivateKey> key = NewKey(identity.key, files);
  if (!key.ok()) return key.status();
  return Sign(identity, **key, authority, files);
}

ServiceNames NamesIn(const std::string& service) { return absl::StrSplit(service, ','); }

// All that is said of each service, which may be several times.
std::vector<ServiceNames> ServicesOf(const Options& options) {
  std::vector<ServiceNames> services;
  for (const std::string& given : options.services) {
    const ServiceNames names = NamesIn(given);
    const auto known = std::find_if(services.begin(), services.end(), [&](const auto& other) {
      return other.front() == names.front();
    });
    if (known == services.end()) {
      services.push_back(AllHosts({}, names));
    } else {
      *known = AllHosts(*known, names);
    }
  }
  return services;
}

absl::StatusOr<std::vector<CredentialFile>> NewFiles(const Options& options,
                                                     const std::vector<std::string>& hosts) {
  std::vector<CredentialFile> files;
  const absl::StatusOr<Authority> authority = NewAuthority(&files);
  if (!authority.ok()) return authority.status();
  std::vector<Identity> identities = GatewayAndAdmin(hosts);
  for (const ServiceNames& names : ServicesOf(options))
    identities.push_back(ServiceIdentity(names.front(), names));
  for (const Identity& identity : identities) {
    if (absl::Status made = SignWithNewKey(identity, *authority, &files); !made.ok()) return made;
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
  const std::vector<std::string> hosts = AllHosts(LoopbackHosts(), options.hosts);
  const absl::StatusOr<std::vector<CredentialFile>> files = NewFiles(options, hosts);
  if (!files.ok()) return files.status();
  if (absl::Status made = MakePrivateFolder(options.folder); !made.ok()) return made;
  if (absl::Status written = WriteNewFiles(options.folder, *files); !written.ok()) return written;
  std::vector<std::string> services;
  for (const ServiceNames& names : ServicesOf(options)) services.push_back(names.front());
  const absl::Status told =
      console.Out(options.format == OutputFormat::kJson
                      ? FolderJson(options.folder, *files, hosts)
                      : NextSteps(options.folder, options.hosts, hosts, services));
  if (!told.ok()) return told;
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

// Those of the folder, for as many names as before and those that are given now.
absl::StatusOr<std::vector<Identity>> KnownIdentities(const Options& options) {
  const auto server = Load(options.folder, kServer, CertificateFromPem);
  if (!server.ok()) return server.status();
  std::vector<Identity> identities = GatewayAndAdmin(AllHosts(HostsOf(**server), options.hosts));
  for (const std::string& name : ServicesIn(options.folder)) {
    const auto own = Load(options.folder, ServiceFile(name).c_str(), CertificateFromPem);
    if (!own.ok()) return own.status();
    std::vector<std::string> hosts = HostsOf(**own);
    for (const ServiceNames& names : ServicesOf(options)) {
      if (names.front() == name) hosts = AllHosts(std::move(hosts), names);
    }
    identities.push_back(ServiceIdentity(name, hosts));
  }
  return identities;
}

// New certificates for the keys that there are, so that a certificate fits its key at any moment.
absl::StatusOr<int> Renew(const Options& options, const Console& console) {
  const absl::StatusOr<Authority> authority = LoadAuthority(options.folder);
  if (!authority.ok()) return authority.status();
  const absl::StatusOr<std::vector<Identity>> known = KnownIdentities(options);
  if (!known.ok()) return known.status();
  std::vector<CredentialFile> files;
  absl::Time end;
  for (const Identity& identity : *known) {
    const auto key = Load(options.folder, identity.key.c_str(), KeyFromPem);
    if (!key.ok()) return key.status();
    if (absl::Status made = Sign(identity, **key, *authority, &files, &end); !made.ok())
      return made;
  }
  const auto there = ServicesIn(options.folder);
  for (const ServiceNames& service : ServicesOf(options)) {
    if (std::find(there.begin(), there.end(), service.front()) != there.end()) continue;
    absl::Status made =
        SignWithNewKey(ServiceIdentity(service.front(), service), *authority, &files);
    if (!made.ok()) return made;
  }
  std::vector<std::string> names;
  for (const CredentialFile& file : files) {
    if (absl::Status put = ReplaceFile(options.folder, file); !put.ok()) return put;
    if (file.mode == kPublic) names.push_back(file.name);
  }
  const std::vector<std::string>& hosts = known->front().subject.hosts;
  const absl::Status told =
      console.Out(options.format == OutputFormat::kJson
                      ? FolderJson(options.folder, files, hosts)
                      : absl::StrCat("New until ", DateText(end), ": ", absl::StrJoin(names, ", "),
                                     "; the gateway's for ", absl::StrJoin(hosts, ", "),
                                     ".\nProcesses that run take them by themselves.\n"));
  if (!told.ok()) return told;
  return 0;
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate init-tls ~/rawgate-tls --host lab --host 192.0.2.7
  rawgate init-tls ~/rawgate-tls --service echo.lab --service exec,exec.lab
  rawgate init-tls --renew ~/rawgate-tls

Makes a private CA, certificates for the gateway and for a user "admin", the
user's token and the file that says who may do what, and prints how to use
them. Services on other machines than the gateway's have --rpc_tls, and each
a certificate of its own. A file that is there already is never replaced, but
for certificates by --renew, which takes --service too, for one more.)";

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
  command
      ->add_option("--service", options->services,
                   "Names or IP addresses that the gateway calls a\nservice by, the first of which "
                   "names its "
                   "files;\nmay be repeated")
      ->type_name("NAME[,NAME...]")
      ->allow_extra_args(false);
  command->add_flag("--renew", options->renew, "New certificates from the CA that is there");
  AddJsonFormat(*command, options->format, "what was written");
  command->callback([&chosen, options] {
    for (const std::string& host : options->hosts) {
      if (const absl::Status good = CheckHost(host); !good.ok())
        throw CLI::ValidationError(absl::StrCat("--host ", good.message()));
    }
    for (const std::string& service : options->services) {
      for (const std::string& name : NamesIn(service)) {
        if (const absl::Status good = CheckHost(name); !good.ok() || name.front() == '*')
          throw CLI::ValidationError(
              absl::StrCat("--service ", Quoted(name), " is no name to call"));
      }
    }
    chosen.needs_gateway = false;
    chosen.run = [options](Context& context) {
      return options->renew ? Renew(*options, context.console) : Init(*options, context.console);
    };
  });
}

}  // namespace rawgate::cli
