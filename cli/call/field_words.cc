#include "cli/call/field_words.h"

#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/call/message_json.h"
#include "cli/call/scalar_word.h"
#include "cli/display_text.h"
#include "cli/suggestion.h"
#include "google/protobuf/descriptor.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// One more than that is no list that somebody types.
constexpr int kListMax = 10'000;

const FieldDescriptor* FindField(const Descriptor& type, absl::string_view name) {
  const std::string key(name);
  const FieldDescriptor* field = type.FindFieldByName(key);
  return field != nullptr ? field : type.FindFieldByCamelcaseName(key);
}

struct Store {
  Message& message;
  const FieldDescriptor& field;
  const Reflection& reflection;

  // Set, or added to a list.
#define RAWGATE_STORE(type, name)                    \
  void operator()(type value) const {                \
    if (field.is_repeated()) {                       \
      reflection.Add##name(&message, &field, value); \
    } else {                                         \
      reflection.Set##name(&message, &field, value); \
    }                                                \
  }
  RAWGATE_STORE(bool, Bool)
  RAWGATE_STORE(int64_t, Int64)
  RAWGATE_STORE(uint32_t, UInt32)
  RAWGATE_STORE(uint64_t, UInt64)
  RAWGATE_STORE(float, Float)
  RAWGATE_STORE(double, Double)
  RAWGATE_STORE(const std::string&, String)
#undef RAWGATE_STORE
  void operator()(int32_t value) const {
    const bool is_enum = field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM;
    if (field.is_repeated()) {
      is_enum ? reflection.AddEnumValue(&message, &field, value)
              : reflection.AddInt32(&message, &field, value);
    } else {
      is_enum ? reflection.SetEnumValue(&message, &field, value)
              : reflection.SetInt32(&message, &field, value);
    }
  }
};

// Sets the two fields that Duration and Timestamp have.
void SetTime(Message& message, int64_t seconds, int64_t nanoseconds) {
  const Descriptor& type = *message.GetDescriptor();
  message.GetReflection()->SetInt64(&message, type.FindFieldByNumber(1), seconds);
  message.GetReflection()->SetInt32(&message, type.FindFieldByNumber(2),
                                    static_cast<int32_t>(nanoseconds));
}

absl::Status SetDuration(absl::string_view path, absl::string_view word, Message& message) {
  absl::Duration duration;
  if (double seconds = 0; absl::SimpleAtod(word, &seconds)) {
    duration = absl::Seconds(seconds);
  } else if (!absl::ParseDuration(word, &duration)) {
    return BadField(path, absl::StrCat(Quoted(word), " is no time such as 1.5s or 1m30s"));
  }
  absl::Duration rest;
  const int64_t seconds = absl::IDivDuration(duration, absl::Seconds(1), &rest);
  SetTime(message, seconds, absl::ToInt64Nanoseconds(rest));
  return absl::OkStatus();
}

absl::Status SetTimestamp(absl::string_view path, absl::string_view word, Message& message) {
  absl::Time time = absl::Now();
  std::string error;
  if (word != "now" && !absl::ParseTime(absl::RFC3339_full, word, &time, &error)) {
    return BadField(
        path, absl::StrCat(Quoted(word), " is no time such as ", "2026-05-01T14:03:00Z or now"));
  }
  const int64_t seconds = absl::ToUnixSeconds(time);
  SetTime(message, seconds, absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds)));
  return absl::OkStatus();
}

absl::Status SetMessage(absl::string_view path, absl::string_view word, Message& message) {
  const std::string& type = message.GetDescriptor()->full_name();
  if (type == "google.protobuf.Duration") return SetDuration(path, word, message);
  if (type == "google.protobuf.Timestamp") return SetTimestamp(path, word, message);
  const absl::Status read = ReadJson(word, message);
  if (read.ok() || ReasonOf(read) == "UNKNOWN_FIELD") return read;
  return BadField(path, absl::StrCat("a ", type, " is wanted in JSON, or its fields behind a dot"));
}

class WordSetter {
 public:
  WordSetter(const FileReader& read, absl::string_view path, absl::string_view value,
             std::set<std::string>& set_before)
      : read_(read), path_(path), value_(value), set_before_(set_before) {}

  absl::Status Set(Message& message, absl::string_view rest) {
    const size_t dot = rest.find('.');
    const absl::string_view name = rest.substr(0, dot);
    const absl::string_view further = dot == rest.npos ? "" : rest.substr(dot + 1);
    const FieldDescriptor* field = FindField(*message.GetDescriptor(), name);
    if (field == nullptr) return UnknownField(name, *message.GetDescriptor());
    const Reflection& reflection = *message.GetReflection();
    if (const auto* oneof = field->real_containing_oneof();
        oneof != nullptr && reflection.HasOneof(message, oneof) &&
        reflection.GetOneofFieldDescriptor(message, oneof) != field) {
      return BadField(
          path_, absl::StrCat("only one of ", oneof->name(), " can be set, and ",
                              reflection.GetOneofFieldDescriptor(message, oneof)->name(), " is"));
    }
    if (field->is_map()) return SetEntry(message, *field, further);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      if (dot != rest.npos) return BadField(path_, absl::StrCat(name, " has no fields"));
      if (!field->is_repeated() && !set_before_.insert(path_).second) {
        return BadField(path_, "set twice");
      }
      return SetScalar(message, *field);
    }
    if (field->is_repeated()) return SetElement(message, *field, further);
    Message& nested = *reflection.MutableMessage(&message, field);
    if (dot != rest.npos) return Set(nested, further);
    if (!set_before_.insert(path_).second) return BadField(path_, "set twice");
    return SetMessage(path_, value_, nested);
  }

 private:
  absl::Status SetScalar(Message& message, const FieldDescriptor& field) {
    absl::StatusOr<Scalar> scalar = ParseScalar(field, value_, read_);
    if (!scalar.ok()) return scalar.status();
    std::visit(Store{message, field, *message.GetReflection()}, *scalar);
    return absl::OkStatus();
  }

  // "" is a new element, "0" and "0.name" the first, which is made when the list is that long.
  absl::Status SetElement(Message& message, const FieldDescriptor& field, absl::string_view rest) {
    const Reflection& reflection = *message.GetReflection();
    if (rest.empty()) return SetMessage(path_, value_, *reflection.AddMessage(&message, &field));
    const size_t dot = rest.find('.');
    int index = 0;
    const int size = reflection.FieldSize(message, &field);
    if (!absl::SimpleAtoi(rest.substr(0, dot), &index) || index < 0 || index > size ||
        index >= kListMax) {
      return BadField(path_, absl::StrCat(field.name(), " is a list of ", size,
                                          " so far: ", field.name(), ".", size, " is the next"));
    }
    Message& element = index == size ? *reflection.AddMessage(&message, &field)
                                     : *reflection.MutableRepeatedMessage(&message, &field, index);
    return dot == rest.npos ? SetMessage(path_, value_, element)
                            : Set(element, rest.substr(dot + 1));
  }

  // A key may have dots in it where its value is no message.
  absl::Status SetEntry(Message& message, const FieldDescriptor& field, absl::string_view rest) {
    const Descriptor& entry_type = *field.message_type();
    const FieldDescriptor& key_field = *entry_type.map_key();
    const FieldDescriptor& value_field = *entry_type.map_value();
    if (rest.empty()) {
      return BadField(path_, absl::StrCat(field.name(), ".KEY=VALUE sets one entry of it"));
    }
    const bool nested = value_field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    const size_t dot = nested ? rest.find('.') : rest.npos;
    const absl::StatusOr<Scalar> key = ParseScalar(key_field, rest.substr(0, dot), read_);
    if (!key.ok()) return key.status();
    Message& entry = EntryOf(message, field, rest.substr(0, dot));
    const Reflection& reflection = *entry.GetReflection();
    std::visit(Store{entry, key_field, reflection}, *key);
    if (!nested) return SetScalar(entry, value_field);
    Message& value = *reflection.MutableMessage(&entry, &value_field);
    return dot == rest.npos ? SetMessage(path_, value_, value) : Set(value, rest.substr(dot + 1));
  }

  // Of words for one key the entry is the same, so that several can set fields of its value.
  Message& EntryOf(Message& message, const FieldDescriptor& field, absl::string_view key) {
    const Reflection& reflection = *message.GetReflection();
    const std::string mark = absl::StrCat(field.full_name(), "\n", key, "\n");
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      if (set_before_.count(absl::StrCat(mark, i)) > 0) {
        return *reflection.MutableRepeatedMessage(&message, &field, i);
      }
    }
    set_before_.insert(absl::StrCat(mark, reflection.FieldSize(message, &field)));
    return *reflection.AddMessage(&message, &field);
  }

  const FileReader& read_;
  const std::string path_;
  const absl::string_view value_;
  std::set<std::string>& set_before_;
};

}  // namespace

absl::Status UnknownField(absl::string_view name, const Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_FIELD",
               absl::StrCat("no field of ", type.full_name(), " is called ", name, ".",
                            DidYouMean(name, names), names.empty() ? " It has none" : " It has: ",
                            absl::StrJoin(names, ", ")));
}

absl::Status SetFields(const std::vector<std::string>& words, const FileReader& read,
                       Message& message) {
  std::set<std::string> set_before;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == word.npos || equals == 0) {
      return Error(absl::StatusCode::kInvalidArgument, "BAD_FIELD",
                   absl::StrCat(Quoted(word), " is no field=value, no {JSON}, no @FILE and no -"));
    }
    const absl::string_view path = absl::string_view(word).substr(0, equals);
    WordSetter setter(read, path, absl::string_view(word).substr(equals + 1), set_before);
    if (absl::Status set = setter.Set(message, path); !set.ok()) return set;
  }
  return absl::OkStatus();
}

}  // namespace rawgate::cli
