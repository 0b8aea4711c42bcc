#include "services/exec/exec_reply.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include <openssl/evp.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/exec/exec_frame.h"

namespace rawgate::exec {
namespace {

constexpr size_t kFileBlock = 256 * 1024;

Body::Part PartOf(const Output& output) {
  return {.size = output.size(),
          .file = output.in_file() ? output.file() : -1,
          .memory = output.memory()};
}

absl::Status AddFile(EVP_MD_CTX* digest, int file, uint64_t size) {
  std::vector<char> block(kFileBlock);
  for (uint64_t offset = 0; offset < size;) {
    const ssize_t n = pread(file, block.data(), block.size(), static_cast<off_t>(offset));
    if (n < 0) return ErrnoError(errno, "read of kept output");
    if (n == 0)
      return Error(absl::StatusCode::kDataLoss, "OUTPUT_LOST", "kept output has become shorter");
    EVP_DigestUpdate(digest, block.data(), static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return absl::OkStatus();
}

std::string Head(ReplyForm form, const Body& body, const ReplyHeader& header) {
  switch (form) {
    case ReplyForm::kRaw:
      break;
    case ReplyForm::kSized:
      return EncodeSizedHeader(body.size());
    case ReplyForm::kHeader:
      return EncodeJsonHeader(header);
  }
  return body.size() == 0 ? "\n" : "";
}

}  // namespace

Body::Body(const Job& job)
    : parts_{PartOf(job.output(OutputStream::kStdout)), PartOf(job.output(OutputStream::kStderr))} {
  if (job.outcome().kind != Outcome::Kind::kStartFailed) return;
  text_ = absl::StrCat("rawgate-exec: ", job.outcome().message, "\n");
  SetText();
}

Body::Body(std::string text) : text_(std::move(text)) { SetText(); }

void Body::SetText() { parts_[1] = {.size = text_.size(), .file = -1, .memory = text_}; }

absl::StatusOr<std::string> Body::Md5() const {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> digest(EVP_MD_CTX_new(),
                                                                  EVP_MD_CTX_free);
  static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  EVP_DigestInit_ex(digest.get(), md5, nullptr);
  for (const Part& part : parts_) {
    if (part.file < 0) {
      EVP_DigestUpdate(digest.get(), part.memory.data(), part.memory.size());
    } else if (absl::Status added = AddFile(digest.get(), part.file, part.size); !added.ok()) {
      return added;
    }
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(digest.get(), bytes.data(), &size) != 1) {
    return Error(absl::StatusCode::kInternal, "NO_MD5", "this machine's OpenSSL allows no MD5");
  }
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), size));
}

std::string HeadOf(ReplyForm form, const Body& body, const Outcome& outcome, const std::string& md5,
                   const std::string& file_name) {
  ReplyHeader header{.md5 = md5,
                     .file_name = file_name,
                     .stdout_size = body.parts()[0].size,
                     .stderr_size = body.parts()[1].size,
                     .duration_ms = absl::ToInt64Milliseconds(outcome.duration),
                     .truncated = outcome.kind == Outcome::Kind::kOutputLimit,
                     .timed_out = outcome.kind == Outcome::Kind::kTimedOut,
                     .output_may_be_incomplete = outcome.output_may_be_incomplete};
  if (outcome.kind == Outcome::Kind::kStartFailed || outcome.kind == Outcome::Kind::kCancelled) {
    header.error_code = ReasonOf(ToStatus(outcome));
    header.error_message = std::string(ToStatus(outcome).message());
  } else if (outcome.signal != 0) {
    header.signal = SignalName(outcome.signal);
  } else {
    header.exit_code = outcome.exit_code;
  }
  return Head(form, body, header);
}

std::string HeadOf(ReplyForm form, const Body& body, const absl::Status& refusal,
                   const std::string& md5, const std::string& file_name) {
  return Head(form, body,
              {.md5 = md5,
               .file_name = file_name,
               .stderr_size = body.size(),
               .error_code = ReasonOf(refusal),
               .error_message = std::string(refusal.message())});
}

}  // namespace rawgate::exec
