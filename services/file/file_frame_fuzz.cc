// Request headers of the file protocol, from strangers.
#include <set>

#include "runtime/base/status.h"
#include "runtime/net/framing.h"
#include "runtime/net/json_members.h"
#include "runtime/testing/fuzz_input.h"
#include "services/file/file_frame.h"

namespace rawgate::file {
namespace {

using ::rawgate::testing::Expect;
using ::rawgate::testing::FuzzInput;

void CheckName(const FileName& name) {
  const auto again = FileName::ParseFolder(name.text());
  Expect(again.ok() && again->text() == name.text(), "a name is one that is taken again");
  Expect(name.text().size() <= kNameBytesMax, "a name is no longer than allowed");
  Expect(name.text().find('\0') == std::string::npos, "a name has no NUL");
  for (const absl::string_view component : name.Components()) {
    Expect(!component.empty() && component != "." && component != "..", "a name does not climb");
    Expect(component.substr(0, kReservedPrefix.size()) != kReservedPrefix,
           "a name is none of the store's own");
  }
}

void CheckFileName(const FileName& name) {
  Expect(!name.is_root(), "a file has a name");
  CheckName(name);
}

struct RequestCheck {
  void operator()(const UploadRequest& request) const {
    const UploadSpec& spec = request.spec;
    CheckFileName(spec.name);
    Expect(spec.size <= kFileBytesMax && spec.offset <= spec.size, "an upload is of a file");
    Expect(spec.offset == 0 || spec.resumable(), "only what has an id goes on");
    Expect(!spec.resumable() || CheckUploadId(spec.upload_id).ok(), "an id is one");
    Expect(spec.expected.md5.empty() || spec.expected.md5.size() == 32, "a digest is whole");
    Expect(spec.expected.sha256.empty() || spec.expected.sha256.size() == 64, "a digest is whole");
  }
  void operator()(const DownloadRequest& request) const { CheckFileName(request.name); }
  void operator()(const ListRequest& request) const {
    CheckName(request.folder);
    Expect(1 <= request.limit && request.limit <= kPageSizeMax, "a page has its limits");
    Expect(DecodePageToken(EncodePageToken(request.after)).value() == request.after,
           "a page token is the one that was given");
  }
  void operator()(const StatRequest& request) const { CheckFileName(request.name); }
  void operator()(const DeleteRequest& request) const { CheckFileName(request.name); }
  void operator()(const StatusRequest& request) const {
    Expect(CheckUploadId(request.upload_id).ok(), "an id is one");
  }
};

void CheckError(const absl::Status& error) {
  static const auto* const kReasons = new std::set<std::string>{
      "BAD_JSON",      "BAD_FIELD",          "BAD_FILENAME",     "BAD_DIGEST",
      "BAD_UPLOAD_ID", "INVALID_PAGE_TOKEN", "UNKNOWN_OPERATION"};
  Expect(absl::IsInvalidArgument(error) && kReasons->count(ReasonOf(error)) == 1,
         "a request is refused for a reason that is documented");
  const std::string reply = EncodeError(error);
  const int32_t size = net::DecodeI32(reply.data());
  Expect(0 < size && size <= kHeaderBytesMax, "a reply has a header's size");
  Expect(static_cast<size_t>(size) == reply.size() - net::kI32Size,
         "a reply is as long as it says");
  Expect(net::ParseJsonObject(absl::string_view(reply).substr(net::kI32Size)).ok(),
         "a reply is JSON");
}

}  // namespace
}  // namespace rawgate::file

// A header without its size.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rawgate::file;  // NOLINT: what is under test
  FuzzInput input(data, size);
  const auto request = DecodeRequest(input.TakeRest());
  if (!request.ok()) {
    CheckError(request.status());
    return 0;
  }
  std::visit(RequestCheck(), *request);
  Summarize(*request);
  return 0;
}
