#include "cli/bench/raw_protocol.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

namespace json = boost::json;

// No header of the services' is larger.
constexpr size_t kHeaderMax = 64 << 10;
constexpr size_t kSizeBytes = 4;

absl::Status WrongAnswer(absl::string_view what) {
  return Error(absl::StatusCode::kInternal, "WRONG_ANSWER", what);
}

std::string Sized(absl::string_view bytes) {
  std::string frame;
  for (size_t i = 0; i < kSizeBytes; ++i) {
    frame.push_back(static_cast<char>((bytes.size() >> (8 * i)) & 0xff));
  }
  return absl::StrCat(frame, bytes);
}

// A little-endian i32, as its bytes come.
class SizeReader {
 public:
  // True when it is complete; what is left stays in `bytes`.
  bool Take(absl::string_view& bytes) {
    while (count_ < kSizeBytes && !bytes.empty()) {
      size_ |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[0])) << (8 * count_++);
      bytes.remove_prefix(1);
    }
    return count_ == kSizeBytes;
  }
  uint32_t size() const { return size_; }
  void Reset() { *this = SizeReader(); }

 private:
  size_t count_ = 0;
  uint32_t size_ = 0;
};

class Echo final : public RawProtocol {
 public:
  explicit Echo(size_t size) : letters_(Letters(size)) {}
  std::string Request(uint64_t) override { return letters_; }
  absl::StatusOr<Taken> Take(absl::string_view bytes) override {
    const size_t size = std::min(bytes.size(), letters_.size() - received_);
    received_ += size;
    const bool complete = received_ == letters_.size();
    if (complete) received_ = 0;
    return Taken{size, complete};
  }

 private:
  const std::string letters_;
  size_t received_ = 0;
};

class Time final : public RawProtocol {
 public:
  std::string Request(uint64_t number) override { return absl::StrCat(number, " %H:%M:%S"); }
  absl::StatusOr<Taken> Take(absl::string_view bytes) override { return Taken{bytes.size(), true}; }
  absl::StatusOr<uint64_t> NumberOf(absl::string_view datagram) override {
    uint64_t number = 0;
    if (absl::SimpleAtoi(datagram.substr(0, datagram.find(' ')), &number)) return number;
    return WrongAnswer("a datagram that does not begin with the number of its request");
  }
};

class Exec final : public RawProtocol {
 public:
  explicit Exec(const std::string& command) : line_(absl::StrCat(command, "\n")) {}
  std::string Request(uint64_t) override { return line_; }
  absl::StatusOr<Taken> Take(absl::string_view bytes) override {
    absl::string_view rest = bytes;
    if (!size_.Take(rest)) return Taken{bytes.size(), false};
    const size_t body = std::min<size_t>(rest.size(), size_.size() - received_);
    received_ += body;
    const bool complete = received_ == size_.size();
    if (complete) {
      received_ = 0;
      size_.Reset();
    }
    return Taken{bytes.size() - rest.size() + body, complete};
  }

 private:
  const std::string line_;
  SizeReader size_;
  size_t received_ = 0;
};

// The service's JSON header, and what it says.
class HeaderReader {
 public:
  // Error: what the header says is wrong.
  absl::StatusOr<bool> Take(absl::string_view& bytes) {
    if (!size_.Take(bytes)) return false;
    if (size_.size() == 0 || size_.size() > kHeaderMax) return WrongAnswer("a header too large");
    const size_t piece = std::min<size_t>(bytes.size(), size_.size() - text_.size());
    text_.append(bytes.data(), piece);
    bytes.remove_prefix(piece);
    if (text_.size() < size_.size()) return false;
    return Parse();
  }
  uint64_t filesize() const { return filesize_; }
  void Reset() { *this = HeaderReader(); }

 private:
  absl::StatusOr<bool> Parse() {
    json::error_code error;
    const json::value value = json::parse(text_, error);
    if (error || !value.is_object()) return WrongAnswer("a header that is no JSON object");
    const json::object& header = value.as_object();
    const auto text = [&header](const char* key) {
      const json::value* found = header.if_contains(key);
      return found != nullptr && found->is_string() ? std::string(found->as_string().c_str()) : "";
    };
    if (text("status") != "ok") {
      return Error(absl::StatusCode::kInternal,
                   text("reason").empty() ? "WRONG_ANSWER" : text("reason"),
                   text("message").empty() ? text_ : text("message"));
    }
    if (const json::value* size = header.if_contains("filesize")) {
      filesize_ = size->to_number<uint64_t>(error);
      if (error) return WrongAnswer("a header whose filesize is no size");
    }
    return true;
  }

  SizeReader size_;
  std::string text_;
  uint64_t filesize_ = 0;
};

class Upload final : public RawProtocol {
 public:
  Upload(const std::string& filename, size_t size)
      : request_(absl::StrCat(
            Sized(json::serialize(json::object{{"filename", filename}, {"filesize", size}})),
            Letters(size))) {}
  std::string Request(uint64_t) override { return request_; }
  absl::StatusOr<Taken> Take(absl::string_view bytes) override {
    absl::string_view rest = bytes;
    const absl::StatusOr<bool> complete = header_.Take(rest);
    if (!complete.ok()) return complete.status();
    if (*complete) header_.Reset();
    return Taken{bytes.size() - rest.size(), *complete};
  }

 private:
  const std::string request_;
  HeaderReader header_;
};

class Download final : public RawProtocol {
 public:
  explicit Download(const std::string& filename)
      : request_(Sized(json::serialize(json::object{{"op", "download"}, {"filename", filename}}))) {
  }
  std::string Request(uint64_t) override { return request_; }
  absl::StatusOr<Taken> Take(absl::string_view bytes) override {
    absl::string_view rest = bytes;
    if (!in_body_) {
      const absl::StatusOr<bool> header = header_.Take(rest);
      if (!header.ok()) return header.status();
      in_body_ = *header;
    }
    if (!in_body_) return Taken{bytes.size(), false};
    const auto body =
        static_cast<size_t>(std::min<uint64_t>(rest.size(), header_.filesize() - received_));
    received_ += body;
    const bool complete = received_ == header_.filesize();
    if (complete) {
      header_.Reset();
      received_ = 0;
      in_body_ = false;
    }
    return Taken{bytes.size() - rest.size() + body, complete};
  }

 private:
  const std::string request_;
  HeaderReader header_;
  bool in_body_ = false;
  uint64_t received_ = 0;
};

}  // namespace

absl::StatusOr<uint64_t> RawProtocol::NumberOf(absl::string_view) {
  return WrongAnswer("datagrams are not spoken here");
}

std::unique_ptr<RawProtocol> EchoProtocol(size_t size) { return std::make_unique<Echo>(size); }
std::unique_ptr<RawProtocol> TimeProtocol() { return std::make_unique<Time>(); }
std::unique_ptr<RawProtocol> ExecProtocol(const std::string& command) {
  return std::make_unique<Exec>(command);
}
std::unique_ptr<RawProtocol> UploadProtocol(const std::string& filename, size_t size) {
  return std::make_unique<Upload>(filename, size);
}
std::unique_ptr<RawProtocol> DownloadProtocol(const std::string& filename) {
  return std::make_unique<Download>(filename);
}

std::string Letters(size_t size) {
  std::string letters(size, 'a');
  for (size_t i = 0; i < size; ++i) letters[i] = static_cast<char>('a' + i % 26);
  return letters;
}

}  // namespace rawgate::cli
