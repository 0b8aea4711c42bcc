#include "cli/call/request_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/call/field_words.h"
#include "cli/credential_files.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

// What a field of bytes may have from a file; a message is no larger.
constexpr size_t kFileMax = 4 << 20;
constexpr size_t kPiece = 64 << 10;

bool IsJson(const std::string& word) {
  return word == "-" || absl::StartsWith(word, "@") || absl::StartsWith(word, "{");
}

absl::StatusOr<std::string> ReadFieldFile(const std::string& path) {
  return ReadSmallFile(path, kFileMax);
}

}  // namespace

RequestSource::RequestSource(std::vector<std::string> words, const Console& console)
    : words_(std::move(words)), console_(&console), stop_(::eventfd(0, EFD_CLOEXEC)) {}

absl::StatusOr<RequestSource> RequestSource::Make(std::vector<std::string> words,
                                                  const Console& console) {
  RequestSource source(std::move(words), console);
  const auto& all = source.words_;
  const auto json = std::count_if(all.begin(), all.end(), IsJson);
  if (json != 0 && static_cast<size_t>(json) != all.size()) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_FIELD",
                 "field=value and JSON cannot be mixed: one message is either");
  }
  source.fields_ = json == 0 && !all.empty();
  source.reads_input_ = std::find(all.begin(), all.end(), "-") != all.end();
  return source;
}

absl::StatusOr<bool> RequestSource::Next(google::protobuf::Message& message) {
  if (fields_) {
    if (next_word_ > 0) return false;
    next_word_ = words_.size();
    const absl::Status set = SetFields(words_, ReadFieldFile, message);
    if (!set.ok()) return set;
    return true;
  }
  for (;;) {
    auto object = objects_.Next();
    if (!object.ok()) return object.status();
    if (object->has_value()) {
      const absl::Status read = ReadJson(**object, message);
      if (!read.ok()) return read;
      return true;
    }
    if (reading_) {
      absl::StatusOr<std::string> piece = ReadPiece();
      if (!piece.ok()) return piece.status();
      reading_ = !piece->empty();
      objects_.Add(*piece);
      if (reading_) continue;
    }
    if (absl::Status whole = objects_.CheckEnd(); !whole.ok()) return whole;
    if (next_word_ == words_.size()) return false;
    if (absl::Status opened = OpenNext(); !opened.ok()) return opened;
  }
}

absl::Status RequestSource::OpenNext() {
  const std::string& word = words_[next_word_++];
  if (word.front() == '{') {
    objects_.Add(word);
    return absl::OkStatus();
  }
  reading_ = true;
  file_ = Fd();
  if (word == "-") return absl::OkStatus();
  const std::string path = word.substr(1);
  file_ = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  return file_ ? absl::OkStatus() : ErrnoError(errno, absl::StrCat("open ", path));
}

absl::StatusOr<std::string> RequestSource::ReadPiece() {
  if (!file_) {
    pollfd waited[] = {{stop_.get(), POLLIN, 0}, {console_->in(), POLLIN, 0}};
    while (::poll(waited, std::size(waited), -1) < 0) {
      if (errno != EINTR) return ErrnoError(errno, "waiting for standard input");
    }
    if (waited[0].revents != 0) return std::string();
    return console_->Read(kPiece);
  }
  std::string piece(kPiece, '\0');
  ssize_t size = 0;
  do {
    size = ::read(file_.get(), piece.data(), piece.size());
  } while (size < 0 && errno == EINTR);
  if (size < 0) return ErrnoError(errno, absl::StrCat("read ", words_[next_word_ - 1].substr(1)));
  piece.resize(static_cast<size_t>(size));
  return piece;
}

void RequestSource::Stop() const { ::eventfd_write(stop_.get(), 1); }

}  // namespace rawgate::cli
