#include "runtime/http/request_parser.h"

#include <algorithm>
#include <array>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace rawgate::http {
namespace {

namespace beast = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

// "0", two line ends.
constexpr size_t kLastChunkBytesMin = 5;
constexpr absl::string_view kHeadEnd = "\r\n\r\n";

absl::string_view View(string_view text) { return {text.data(), text.size()}; }

Refusal BadRequest(absl::string_view why) { return {400, std::string(why)}; }

// A request that has two of these means two things.
constexpr std::array<absl::string_view, 8> kSingle = {
    "host",          "content-length", "content-type", "transfer-encoding",
    "authorization", "origin",         "expect",       "content-encoding",
};

// Of the lines before the head's end, which other readers may end or join elsewhere.
std::optional<Refusal> CheckLines(absl::string_view head) {
  for (size_t i = 0; i < head.size(); ++i) {
    const char c = head[i];
    const bool breaks = c == '\r' && i + 1 < head.size() && head[i + 1] == '\n';
    if (breaks) {
      ++i;
      const char next = i + 1 < head.size() ? head[i + 1] : '\0';
      if (next == ' ' || next == '\t') return BadRequest("a field goes on in another line");
      continue;
    }
    if (c == '\n' || c == '\r') return BadRequest("a line ends without CR LF");
    if ((absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\t')) {
      return BadRequest("a control character in the head");
    }
  }
  return std::nullopt;
}

std::optional<Refusal> CheckFraming(const Request& request) {
  for (const absl::string_view name : kSingle) {
    if (request.fields.Count(name) > 1) {
      return BadRequest(absl::StrCat("more than one field ", name));
    }
  }
  const std::string* const length = request.fields.Find("content-length");
  const std::string* const encoding = request.fields.Find("transfer-encoding");
  if (length != nullptr && encoding != nullptr) {
    return BadRequest("both content-length and transfer-encoding");
  }
  if (length != nullptr && (length->empty() || length->size() > 19 ||
                            !std::all_of(length->begin(), length->end(), absl::ascii_isdigit))) {
    return BadRequest("content-length is no number");
  }
  if (encoding == nullptr) return std::nullopt;
  if (request.version < 11) return BadRequest("transfer-encoding is not of HTTP/1.0");
  if (!absl::EqualsIgnoreCase(*encoding, "chunked")) {
    return BadRequest("the only transfer-encoding here is chunked");
  }
  return std::nullopt;
}

// An origin-form target (RFC 9112 section 3.2.1); this is no proxy.
std::optional<Refusal> CheckTarget(const Request& request) {
  if (request.path == "*" && request.method == "OPTIONS") return std::nullopt;
  if (!absl::StartsWith(request.path, "/")) return BadRequest("the target is no path");
  if (absl::StrContains(request.path, '#') || absl::StrContains(request.query, '#')) {
    return BadRequest("a fragment in the target");
  }
  return std::nullopt;
}

bool HasLoneLineFeed(absl::string_view bytes, size_t from) {
  for (size_t feed = bytes.find('\n', from); feed != absl::string_view::npos;
       feed = bytes.find('\n', feed + 1)) {
    if (feed == 0 || bytes[feed - 1] != '\r') return true;
  }
  return false;
}

// Whether the line of a chunk, that has begun, goes on after its size. `after_another`: it is
// behind the end of a chunk's data.
bool HasExtension(absl::string_view line, bool after_another) {
  if (after_another) absl::ConsumePrefix(&line, "\r\n");
  const size_t digits = std::min(line.find_first_not_of("0123456789abcdefABCDEF"), line.size());
  line = absl::StripLeadingAsciiWhitespace(line.substr(digits));
  return digits > 0 && absl::StartsWith(line, ";");
}

// Whether the request line ends in a version of HTTP, and not in what is left of a target with a
// space in it.
bool NamesOtherVersion(absl::string_view head) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(head.substr(0, head.find("\r\n")), ' ');
  return words.size() == 3 && absl::StartsWith(words[2], "HTTP/");
}

Refusal RefusalOf(const error_code& error) {
  if (error == beast::error::body_limit) return {413, "the body is too large"};
  if (error == beast::error::header_limit) return {431, "the head is too large"};
  if (error == beast::error::bad_version)
    return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  return BadRequest(error.message());
}

}  // namespace

class RequestParser::Reader : public beast::basic_parser<true> {
 public:
  bool expects_continue = false;
  // A chunk of the body was seen.
  bool has_chunks = false;
  Request request;
  std::optional<Refusal> refusal;

 private:
  void Refuse(Refusal why, error_code& error) {
    refusal = std::move(why);
    error = beast::error::bad_field;
  }

  void on_request_impl(beast::verb, string_view method, string_view target, int version,
                       error_code& error) override {
    error = {};
    request.method = std::string(View(method));
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(View(target), absl::MaxSplits('?', 1));
    request.path = std::string(halves.first);
    request.query = std::string(halves.second);
    request.version = version;
  }

  void on_field_impl(beast::field, string_view name, string_view value,
                     error_code& error) override {
    error = {};
    // Trailers are read past: what they could say, such as who asks, has been decided by then.
    if (is_header_done()) return;
    request.fields.Add(absl::AsciiStrToLower(View(name)), View(value));
  }

  void on_header_impl(error_code& error) override {
    error = {};
    if (auto bad = CheckFraming(request); bad.has_value()) return Refuse(*bad, error);
    if (auto bad = CheckTarget(request); bad.has_value()) return Refuse(*bad, error);
    const std::string* const expect = request.fields.Find("expect");
    if (expect == nullptr || request.version < 11) return;
    if (!absl::EqualsIgnoreCase(*expect, "100-continue")) {
      return Refuse({417, "the only expectation that is met here is 100-continue"}, error);
    }
    expects_continue = true;
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code& error) override {
    error = {};
  }

  std::size_t on_body_impl(string_view piece, error_code& error) override {
    error = {};
    request.body.append(piece.data(), piece.size());
    return piece.size();
  }

  void on_chunk_header_impl(std::uint64_t, string_view extensions, error_code& error) override {
    error = {};
    has_chunks = true;
    if (!extensions.empty()) Refuse(BadRequest("a chunk with extensions"), error);
  }

  std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code& error) override {
    return on_body_impl(piece, error);
  }

  void on_finish_impl(error_code& error) override { error = {}; }

  void on_response_impl(int, string_view, int, error_code& error) override { error = {}; }
};

RequestParser::RequestParser(size_t header_max, uint64_t body_max)
    : header_max_(header_max), reader_(std::make_unique<Reader>()) {
  reader_->header_limit(static_cast<uint32_t>(header_max));
  reader_->body_limit(body_max);
}

RequestParser::~RequestParser() = default;

bool RequestParser::head_done() const { return reader_->is_header_done(); }
bool RequestParser::done() const { return reader_->is_done(); }
bool RequestParser::expects_continue() const { return reader_->expects_continue; }
bool RequestParser::keeps_alive() const { return reader_->keep_alive(); }
Request& RequestParser::request() { return reader_->request; }

std::optional<Refusal> RequestParser::FeedHead(absl::string_view* bytes) {
  // One empty line before the request line is forgiven (RFC 9112 section 2.2).
  if (seen_ == 0 && !skipped_) {
    if (*bytes == "\r") return std::nullopt;
    skipped_ = absl::ConsumePrefix(bytes, "\r\n");
  }
  // The end may have begun in what was looked at already.
  const size_t from = seen_ < kHeadEnd.size() ? 0 : seen_ - kHeadEnd.size() + 1;
  const size_t end = bytes->find(kHeadEnd, from);
  const size_t size = end == absl::string_view::npos ? bytes->size() : end + kHeadEnd.size();
  if (size > header_max_) return Refusal{431, "the head is too large"};
  if (end == absl::string_view::npos) {
    seen_ = bytes->size();
    // A lone line feed can only get worse, and the client may send no more.
    return HasLoneLineFeed(*bytes, from) ? std::optional(BadRequest("a line ends without CR LF"))
                                         : std::nullopt;
  }
  const absl::string_view head = bytes->substr(0, size);
  if (auto bad = CheckLines(head); bad.has_value()) return bad;
  error_code error;
  reader_->put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (reader_->refusal.has_value()) return reader_->refusal;
  if (error == beast::error::bad_version && !NamesOtherVersion(head)) {
    return BadRequest("the request line has no version of HTTP");
  }
  if (error) return RefusalOf(error);
  bytes->remove_prefix(size);
  return std::nullopt;
}

bool RequestParser::LastChunkIsShort(absl::string_view bytes) const {
  // Of a last chunk that is the first, its line was enough for Beast to begin with; to go on it
  // asserts that there is as much as the end of another chunk before it would make.
  return !reader_->has_chunks && left_ > 0 && bytes.size() < kLastChunkBytesMin &&
         absl::StrContains(bytes.substr(0, left_), "\r\n");
}

std::optional<Refusal> RequestParser::Feed(absl::string_view* bytes) {
  if (!head_done()) {
    if (auto bad = FeedHead(bytes); bad.has_value() || !head_done()) return bad;
  }
  while (!done() && !bytes->empty()) {
    // No more at a time than what a line may have, so that a long line is one however it comes.
    const absl::string_view next = bytes->substr(0, header_max_);
    if (LastChunkIsShort(next)) return std::nullopt;
    error_code error;
    const size_t taken = reader_->put(boost::asio::const_buffer(next.data(), next.size()), error);
    left_ = taken == 0 ? next.size() : 0;
    bytes->remove_prefix(taken);
    if (reader_->refusal.has_value()) return reader_->refusal;
    if (error && error != beast::error::need_more) return RefusalOf(error);
    if (taken > 0) continue;
    // Refused at once: Beast counts such a chunk towards the limit each time that it comes back.
    if (HasExtension(next, reader_->has_chunks)) return BadRequest("a chunk with extensions");
    if (next.size() == header_max_) return BadRequest("a line of the body is too long");
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace rawgate::http
