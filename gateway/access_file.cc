#include "gateway/access_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "rawgate/access/v1/access_file.pb.h"
#include "runtime/rpc/text_message.h"

namespace rawgate::gateway {
namespace {

namespace pb = google::protobuf;
using Reader = rpc::MessageReader;

constexpr char kReason[] = "BAD_ACCESS_FILE";

// What protobuf found instead of something else it puts into its message, and it may be a token
// that was written where its digest belongs.
class SyntaxFaults final : public pb::io::ErrorCollector {
 public:
  explicit SyntaxFaults(rpc::Faults& faults) : faults_(faults) {}
  void AddError(int line, pb::io::ColumnNumber column, const std::string& message) override {
    const size_t found = std::min(message.find(", got: "), message.find(", found "));
    faults_.AddError(line, column, message.substr(0, found));
  }

 private:
  rpc::Faults& faults_;
};

// Reads users one by one, and remembers what must not be there twice.
class UsersReader {
 public:
  AccessUser Read(const access::v1::User& from, const Reader& reader) {
    reader_ = &reader;
    user_ = from.name();
    CheckName(from);
    AccessUser to;
    to.caller = {from.name(), static_cast<rpc::Role>(from.role())};
    // Numbers are taken for enumerations too, whatever they mean.
    if (from.role() == access::v1::ROLE_UNSPECIFIED || !access::v1::Role_IsValid(from.role()))
      Fail("role", 0, "needs one of ROLE_VIEWER, ROLE_OPERATOR, ROLE_EXECUTOR and ROLE_ADMIN");
    for (int i = 0; i < from.token_sha256_size(); ++i) ReadToken(from.token_sha256(i), i, &to);
    ReadNames("certificate_uri", from.certificate_uri(), &to.certificate_uris);
    ReadNames("certificate_common_name", from.certificate_common_name(), &to.common_names);
    if (from.token_sha256().empty() && from.certificate_uri().empty() &&
        from.certificate_common_name().empty())
      Fail("name", 0, "has no credential: neither token_sha256 nor a certificate's name");
    return to;
  }

 private:
  void Fail(const std::string& field, int index, absl::string_view message) const {
    reader_->Fail(field, index, absl::StrCat("user \"", absl::CHexEscape(user_), "\" ", message));
  }

  void CheckName(const access::v1::User& from) {
    const std::string& name = from.name();
    // Blanks at an end do not survive as metadata.
    if (name.empty() || name.size() > kUserNameMax ||
        !std::all_of(name.begin(), name.end(), absl::ascii_isprint) || name.front() == ' ' ||
        name.back() == ' ') {
      Fail("name", 0,
           absl::StrCat("needs a name of at most ", kUserNameMax, " printable ASCII characters"));
    }
    CheckOnce("name", 0, name);
  }

  void ReadToken(const std::string& hexadecimal, int index, AccessUser* to) {
    if (hexadecimal.size() != 64 ||
        !std::all_of(hexadecimal.begin(), hexadecimal.end(), absl::ascii_isxdigit)) {
      return Fail("token_sha256", index,
                  "has a token_sha256 that is not 64 hexadecimal digits: the digest of a token, as "
                  "`printf %s TOKEN | sha256sum` prints it, never the token");
    }
    const std::string bytes = absl::HexStringToBytes(hexadecimal);
    std::copy(bytes.begin(), bytes.end(), to->tokens.emplace_back().begin());
    CheckOnce("token_sha256", index, bytes);
  }

  void ReadNames(const std::string& field, const pb::RepeatedPtrField<std::string>& from,
                 std::vector<std::string>* to) {
    for (int i = 0; i < from.size(); ++i) {
      if (from.Get(i).empty()) Fail(field, i, absl::StrCat("has an empty ", field));
      CheckOnce(field, i, from.Get(i));
      to->push_back(from.Get(i));
    }
  }

  // A credential is one user's, and listed once.
  void CheckOnce(const std::string& field, int index, const std::string& value) {
    const auto [first, inserted] = seen_.try_emplace({field, value}, user_);
    if (inserted) return;
    Fail(field, index,
         field == "name" ? "is there twice"
                         : absl::StrCat("has a ", field, " that user \"",
                                        absl::CHexEscape(first->second), "\" has already"));
  }

  const Reader* reader_ = nullptr;
  std::string user_;
  // By field and value, whose it is.
  absl::flat_hash_map<std::pair<std::string, std::string>, std::string> seen_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const AccessTable>> ParseAccessFile(absl::string_view text,
                                                                   absl::string_view name) {
  rpc::Faults faults(name);
  SyntaxFaults syntax_faults(faults);
  Reader::Tree tree;
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&syntax_faults);
  parser.WriteLocationsTo(&tree);
  pb::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  access::v1::AccessFile from;
  parser.Parse(&input, &from);
  if (absl::Status syntax = faults.status(kReason); !syntax.ok()) return syntax;

  const Reader whole(from, &tree, {0, 0}, faults);
  if (from.user().empty()) whole.Fail("user", 0, "no user: nobody could call");
  if (from.user_size() > static_cast<int>(kAccessUsersMax)) {
    whole.Fail("user", kAccessUsersMax, absl::StrCat("more than ", kAccessUsersMax, " users"));
    return faults.status(kReason);
  }
  std::vector<AccessUser> users;
  UsersReader users_reader;
  for (int i = 0; i < from.user_size(); ++i)
    users.push_back(users_reader.Read(from.user(i), whole.Nested("user", i, from.user(i))));
  if (absl::Status meaning = faults.status(kReason); !meaning.ok()) return meaning;
  return std::make_shared<const AccessTable>(std::move(users));
}

absl::StatusOr<std::string> ReadAccessFile(const std::string& path) {
  return rpc::ReadMessageFile(path, "access_file", kAccessFileBytesMax, kReason);
}

}  // namespace rawgate::gateway
