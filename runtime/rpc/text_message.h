// Protobuf messages that people write, in protobuf's text format: a file of theirs, and what is
// wrong with it, each fault with its place.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::rpc {

// Collects what is wrong, with where. Lines and columns count from 0, as protobuf has them. One
// thread.
class Faults final : public google::protobuf::io::ErrorCollector {
 public:
  // `name` is the file's, for messages.
  explicit Faults(absl::string_view name) : name_(name) {}

  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override;

  // INVALID_ARGUMENT (`reason`) when there is one; the message has a line "NAME:LINE:COLUMN: what
  // is wrong" for each of the first, counted from 1.
  absl::Status status(absl::string_view reason) const;

 private:
  const std::string name_;
  std::vector<std::string> lines_;
  size_t count_ = 0;
};

// One message of the file, with where it is and where its fields are. Refers to all that it is
// given.
class MessageReader {
 public:
  using Tree = google::protobuf::TextFormat::ParseInfoTree;
  using Location = google::protobuf::TextFormat::ParseLocation;

  // `tree` may be null, where protobuf kept none.
  MessageReader(const google::protobuf::Message& message, const Tree* tree, const Location& at,
                Faults& faults)
      : descriptor_(*message.GetDescriptor()), tree_(tree), at_(at), faults_(faults) {}

  // `field` is one of the message; `index` says which of a repeated one.
  void Fail(const std::string& field, int index, const std::string& message) const;
  MessageReader Nested(const std::string& field, int index,
                       const google::protobuf::Message& message) const;

 private:
  // Of a list in brackets the first is known alone; of what is missing, what it is missing in.
  Location Locate(const google::protobuf::FieldDescriptor& field, int index) const;

  const google::protobuf::Descriptor& descriptor_;
  const Tree* tree_;
  const Location at_;
  Faults& faults_;
};

// The whole file at `path`, which a flag called `flag` names. May wait for a disk. Errors: of
// open(2) and read(2); INVALID_ARGUMENT (`reason`) for what is no regular file, can be written by
// every user of the machine, or has more than `bytes_max` bytes.
absl::StatusOr<std::string> ReadMessageFile(const std::string& path, absl::string_view flag,
                                            size_t bytes_max, absl::string_view reason);

}  // namespace rawgate::rpc
