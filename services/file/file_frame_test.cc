#include "services/file/file_frame.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/net/framing.h"
#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

namespace json = boost::json;

// The JSON object of a framed header, whose size must be right.
json::object Header(const std::string& frame) {
  EXPECT_GE(frame.size(), net::kI32Size);
  EXPECT_EQ(static_cast<size_t>(net::DecodeI32(frame.data())), frame.size() - net::kI32Size);
  return json::parse(frame.substr(net::kI32Size)).as_object();
}

std::string Text(const json::object& header, const char* key) {
  return std::string(json::value_to<std::string>(header.at(key)));
}

template <typename T>
T Decode(absl::string_view text) {
  auto request = DecodeRequest(text);
  if (!request.ok()) {
    ADD_FAILURE() << text << ": " << request.status();
    return T{};
  }
  EXPECT_TRUE(std::holds_alternative<T>(*request)) << text;
  return std::get<T>(*request);
}

std::string Reason(absl::string_view text) {
  const auto request = DecodeRequest(text);
  return request.ok() ? "OK" : ReasonOf(request.status());
}

// ---- Requests

TEST(DecodeRequest, TakesTheClassicUpload) {
  const auto request =
      Decode<UploadRequest>(R"({"filepath": "/home/me/x", "filename": "a.txt", "filesize": 5})");
  EXPECT_EQ(request.spec.name.text(), "a.txt");
  EXPECT_EQ(request.spec.size, 5u);
  EXPECT_FALSE(request.spec.if_absent);
  EXPECT_TRUE(request.spec.expected.empty());
}

TEST(DecodeRequest, TakesAllOfAnUpload) {
  const std::string sha256(64, 'A');
  const auto request = Decode<UploadRequest>(absl::StrCat(
      R"({"op":"upload","filename":"x/y","filesize":9223372036854775807,"if_absent":true,"offset":0,"md5":"",)",
      R"("sha256":")", sha256, R"(","future":{"a":[1,2,{}]}})"));
  EXPECT_EQ(request.spec.name.text(), "x/y");
  EXPECT_EQ(request.spec.size, kFileBytesMax);
  EXPECT_TRUE(request.spec.if_absent);
  EXPECT_EQ(request.spec.expected.sha256, std::string(64, 'a'));
}

TEST(DecodeRequest, TakesTheOtherOperations) {
  const auto whole = Decode<DownloadRequest>(R"({"op":"download","filename":"a"})");
  EXPECT_EQ(whole.offset, 0u);
  EXPECT_FALSE(whole.length.has_value());
  EXPECT_FALSE(Decode<DownloadRequest>(R"({"op":"download","filename":"a","length":-1})").length);
  const auto range =
      Decode<DownloadRequest>(R"({"op":"download","filename":"a","offset":7,"length":0})");
  EXPECT_EQ(range.offset, 7u);
  EXPECT_EQ(range.length, 0u);

  EXPECT_EQ(Decode<StatRequest>(R"({"op":"stat","filename":"a/b"})").name.text(), "a/b");
  EXPECT_EQ(Decode<DeleteRequest>(R"({"op":"delete","filename":"a"})").name.text(), "a");

  const auto root = Decode<ListRequest>(R"({"op":"list"})");
  EXPECT_TRUE(root.folder.is_root());
  EXPECT_EQ(root.limit, kPageSizeDefault);
  EXPECT_EQ(root.after, "");
  const auto page = Decode<ListRequest>(absl::StrCat(
      R"({"op":"list","folder":"a/b","limit":5000,"next":")", EncodePageToken("x"), R"("})"));
  EXPECT_EQ(page.folder.text(), "a/b");
  EXPECT_EQ(page.limit, kPageSizeMax);
  EXPECT_EQ(page.after, "x");
}

TEST(DecodeRequest, NamesAreBytes) {
  EXPECT_EQ(Decode<StatRequest>("{\"op\":\"stat\",\"filename\":\"\xff\xfe\"}").name.text(),
            "\xff\xfe");
  EXPECT_EQ(Decode<StatRequest>(R"({"op":"stat","filename":"\u4f60"})").name.text(),
            "\xe4\xbd\xa0");
}

TEST(DecodeRequest, TheLastOfEqualKeysCounts) {
  EXPECT_EQ(Decode<UploadRequest>(R"({"filename":"a","filesize":1,"filename":"b","filesize":2})")
                .spec.size,
            2u);
  EXPECT_EQ(Reason(R"({"filename":"a","filesize":1,"filename":"../b"})"), "BAD_FILENAME");
}

TEST(DecodeRequest, TakesWholeNumbersHoweverWritten) {
  const auto size = [](absl::string_view number) {
    return Decode<UploadRequest>(absl::StrCat(R"({"filename":"a","filesize":)", number, "}"))
        .spec.size;
  };
  EXPECT_EQ(size("0"), 0u);
  EXPECT_EQ(size("-0"), 0u);
  EXPECT_EQ(size("-0.0"), 0u);
  EXPECT_EQ(size("5.0"), 5u);
  EXPECT_EQ(size("1e3"), 1000u);
  EXPECT_EQ(size("9007199254740992.0"), 9007199254740992u);
  EXPECT_EQ(size("9223372036854775807"), 9223372036854775807u);
}

TEST(DecodeRequest, RefusesOtherNumbers) {
  for (const char* number :
       {"-1", "-1.0", "5.5", "1e-1", "9223372036854775808", "18446744073709551615",
        "18446744073709551616", "99999999999999999999999", "9007199254740994.0", "1e18", "9.3e18",
        "1e300", "-1e300", "-9223372036854775808", "\"5\"", "true", "null", "[5]", "{}"}) {
    EXPECT_EQ(Reason(absl::StrCat(R"({"filename":"a","filesize":)", number, "}")), "BAD_FIELD")
        << number;
  }
  for (const char* number : {"NaN", "Infinity", "0x10", "05", "+5", "5.", ".5", "1e999999999999"}) {
    EXPECT_NE(Reason(absl::StrCat(R"({"filename":"a","filesize":)", number, "}")), "OK") << number;
  }
  EXPECT_EQ(Reason(R"({"op":"download","filename":"a","length":-2})"), "BAD_FIELD");
  EXPECT_EQ(Reason(R"({"op":"download","filename":"a","offset":-1})"), "BAD_FIELD");
  EXPECT_EQ(Reason(R"({"op":"list","limit":-1})"), "BAD_FIELD");
}

TEST(DecodeRequest, RefusesWrongTypesAndMissingKeys) {
  const char* const bad[] = {R"({})",
                             R"({"filename":"a"})",
                             R"({"filesize":1})",
                             R"({"filename":1,"filesize":1})",
                             R"({"filename":null,"filesize":1})",
                             R"({"filename":["a"],"filesize":1})",
                             R"({"filename":"a","filesize":1,"if_absent":1})",
                             R"({"filename":"a","filesize":1,"if_absent":"yes"})",
                             R"({"filename":"a","filesize":1,"md5":5})",
                             R"({"filename":"a","filesize":1,"sha256":true})",
                             R"({"filename":"a","filesize":1,"offset":"0"})",
                             R"({"op":5,"filename":"a"})",
                             R"({"op":null,"filename":"a","filesize":1})",
                             R"({"op":"download"})",
                             R"({"op":"stat","filename":{}})",
                             R"({"op":"delete"})",
                             R"({"op":"list","folder":5})",
                             R"({"op":"list","next":5})"};
  for (const char* text : bad) EXPECT_EQ(Reason(text), "BAD_FIELD") << text;
}

TEST(DecodeRequest, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Reason(R"({"op":"chmod","filename":"a"})"), "UNKNOWN_OPERATION");
  EXPECT_EQ(Reason(R"({"op":"","filename":"a","filesize":1})"), "UNKNOWN_OPERATION");
  EXPECT_EQ(Reason(R"({"op":"UPLOAD","filename":"a","filesize":1})"), "UNKNOWN_OPERATION");
  EXPECT_EQ(Reason(R"({"filename":"a","filesize":1,"md5":"abc"})"), "BAD_DIGEST");
  EXPECT_EQ(Reason(R"({"op":"list","next":"!"})"), "INVALID_PAGE_TOKEN");
}

TEST(DecodeRequest, TakesAnUploadThatGoesOn) {
  const auto begun = Decode<UploadRequest>(R"({"filename":"a","filesize":9,"upload_id":"u-_9"})");
  EXPECT_EQ(begun.spec.upload_id, "u-_9");
  EXPECT_EQ(begun.spec.offset, 0u);
  const auto goes_on =
      Decode<UploadRequest>(R"({"filename":"a","filesize":9,"upload_id":"u-_9","offset":9})");
  EXPECT_EQ(goes_on.spec.size, 9u);
  EXPECT_EQ(goes_on.spec.offset, 9u);
  EXPECT_EQ(Decode<StatusRequest>(R"({"op":"status","upload_id":"u"})").upload_id, "u");
}

TEST(DecodeRequest, RefusesAnUploadThatCannotGoOn) {
  // The second half of a file is not the file.
  EXPECT_EQ(Reason(R"({"filename":"a","filesize":9,"offset":5})"), "BAD_FIELD");
  EXPECT_EQ(Reason(R"({"filename":"a","filesize":9,"upload_id":"u","offset":10})"), "BAD_FIELD");
  EXPECT_EQ(Reason(R"({"filename":"a","filesize":9,"upload_id":"u","offset":-1})"), "BAD_FIELD");
  EXPECT_EQ(Reason(R"({"filename":"a","filesize":9,"upload_id":5})"), "BAD_FIELD");
  EXPECT_EQ(Reason(R"({"op":"status"})"), "BAD_FIELD");
  for (const std::string& id : {std::string(), std::string(65, 'a'), std::string("../x"),
                                std::string("a.json"), std::string("a b"), std::string("\u00e4")}) {
    EXPECT_EQ(Reason(absl::StrCat(R"({"filename":"a","filesize":9,"upload_id":")", id, R"("})")),
              "BAD_UPLOAD_ID")
        << id;
  }
}

TEST(DecodeRequest, RefusesHostileNames) {
  for (const char* name :
       {"", "..", "../a", "/a", "a//b", "a/", "a/./b", "a\\u0000b", ".rawgate-1"}) {
    for (const char* op : {"upload", "download", "stat", "delete"}) {
      EXPECT_EQ(
          Reason(absl::StrCat(R"({"op":")", op, R"(","filesize":0,"filename":")", name, R"("})")),
          "BAD_FILENAME")
          << name;
    }
  }
  EXPECT_EQ(Reason(R"({"op":"list","folder":"../x"})"), "BAD_FILENAME");
}

TEST(DecodeRequest, RefusesWhatIsNoJsonObject) {
  std::string deep = R"({"filename":"a","filesize":1,"x":)";
  for (absl::string_view text :
       {absl::string_view(""), absl::string_view(" "), absl::string_view("{"),
        absl::string_view("null"), absl::string_view("[]"), absl::string_view("5"),
        absl::string_view("\"x\""), absl::string_view("{\"filename\":\"a\",\"filesize\":1"),
        absl::string_view("{\"filename\":\"a\",}"), absl::string_view("{'filename':'a'}"),
        absl::string_view("{} {}"), absl::string_view("{}\0", 3),
        absl::string_view("\xef\xbb\xbf{}"), absl::string_view("{\"filename\":\"\\ud800\"}"),
        absl::string_view("GET / HTTP/1.1")}) {
    EXPECT_EQ(Reason(text), "BAD_JSON") << text;
  }
  EXPECT_EQ(Reason(absl::StrCat(deep, std::string(100, '['), std::string(100, ']'), "}")),
            "BAD_JSON");
  EXPECT_EQ(Reason(absl::StrCat(deep, std::string(60'000, '['))), "BAD_JSON");
  EXPECT_EQ(Reason(absl::StrCat(deep, "[[[[1]]]]}")), "OK");
}

TEST(DecodeRequest, ComesWholeHoweverTheStreamIsCut) {
  const std::string text = R"({"filename":"a.txt","filesize":5})";
  const auto size = net::EncodeI32(static_cast<int32_t>(text.size()));
  const std::string bytes =
      absl::StrCat(absl::string_view(size.data(), size.size()), text, "hello");
  const size_t end = bytes.size() - 5;
  for (size_t first = 0; first <= end; ++first) {
    for (size_t second = first; second <= end; ++second) {
      net::SizedMessageReader reader(1, kHeaderBytesMax);
      std::string rest;
      bool complete = false;
      for (absl::string_view part : {absl::string_view(bytes).substr(0, first),
                                     absl::string_view(bytes).substr(first, second - first),
                                     absl::string_view(bytes).substr(second)}) {
        if (!complete) complete = reader.Consume(&part).value();
        rest.append(part.data(), part.size());
      }
      ASSERT_TRUE(complete);
      ASSERT_EQ(Decode<UploadRequest>(reader.Take()).spec.name.text(), "a.txt");
      ASSERT_EQ(rest, "hello");
    }
  }
}

TEST(Summarize, SaysWhatWasAsked) {
  EXPECT_EQ(Summarize(*DecodeRequest(R"({"filename":"a","filesize":5})")),
            "upload of \"a\", 5 bytes");
  EXPECT_EQ(Summarize(*DecodeRequest(R"({"op":"download","filename":"a","offset":3})")),
            "download of \"a\" from 3");
  EXPECT_EQ(Summarize(*DecodeRequest(R"({"op":"list"})")), "list of \"\"");
}

// ---- Replies

FileInfo Info(std::string name) {
  return {.filename = std::move(name),
          .size = 5,
          .modify_time = absl::FromUnixMicros(1'700'000'000'250'000)};
}

TEST(EncodeReply, ForAnUpload) {
  EXPECT_EQ(EncodeUploadReply(Info("a.txt")).substr(4),
            R"({"status":"ok","filename":"a.txt","filesize":5})");
  FileInfo info = Info("a.txt");
  info.digests = {.md5 = "m", .sha256 = "s"};
  EXPECT_EQ(EncodeUploadReply(info).substr(4),
            R"({"status":"ok","filename":"a.txt","filesize":5,"md5":"m","sha256":"s"})");
}

TEST(EncodeReply, ForADownload) {
  TestFolder folder;
  const auto core = OpenStore(folder.path());
  ASSERT_TRUE(Put(*core, "a", "0123456789").ok());
  EXPECT_EQ(EncodeDownloadReply(*core->OpenDownload(Name("a"), 7, 100)).substr(4),
            R"({"status":"ok","filename":"a","filesize":3,"total_size":10})");
}

TEST(EncodeReply, ForStatAndDelete) {
  EXPECT_EQ(
      EncodeStatReply(Info("a.txt")).substr(4),
      R"({"status":"ok","filename":"a.txt","filesize":5,"type":"file","modify_time":"2023-11-14T22:13:20.25Z"})");
  EXPECT_EQ(EncodeDeleteReply(Name("a")).substr(4), R"({"status":"ok","filename":"a"})");
}

TEST(EncodeReply, NamesAreUtf8) {
  const json::object header = Header(EncodeUploadReply(Info("a\xff\"\n")));
  EXPECT_EQ(Text(header, "filename"), "a\xef\xbf\xbd\"\n");
}

TEST(EncodeReply, ForAList) {
  FileListing listing{.entries = {Info("x/a"), Info("x/b")}, .next = ""};
  listing.entries[1].type = EntryType::kFolder;
  EXPECT_EQ(
      EncodeListReply(listing).substr(4),
      R"({"status":"ok","files":[)"
      R"({"filename":"x/a","size":5,"type":"file","modify_time":"2023-11-14T22:13:20.25Z"},)"
      R"({"filename":"x/b","size":5,"type":"folder","modify_time":"2023-11-14T22:13:20.25Z"}]})");
  listing.next = "b";
  EXPECT_EQ(Text(Header(EncodeListReply(listing)), "next"), EncodePageToken("b"));
}

TEST(EncodeReply, AListFitsIntoAHeader) {
  FileListing listing;
  for (int i = 0; i < 1000; ++i) {
    // Control bytes grow sixfold in JSON.
    listing.entries.push_back(Info(absl::StrCat("folder/", 1000 + i, std::string(200, '\x01'))));
  }
  const std::string frame = EncodeListReply(listing);
  EXPECT_LE(frame.size(), net::kI32Size + kHeaderBytesMax);
  EXPECT_GT(frame.size(), kHeaderBytesMax / 2);
  const json::object header = Header(frame);
  const json::array& files = header.at("files").as_array();
  const std::string last = Text(files.back().as_object(), "filename");
  EXPECT_EQ(absl::StrCat("folder/", *DecodePageToken(Text(header, "next"))), last);
}

TEST(EncodeReply, ForAnError) {
  EXPECT_EQ(
      EncodeError(Error(absl::StatusCode::kNotFound, "FILE_NOT_FOUND", "there is no \"a\""))
          .substr(4),
      R"({"status":"error","code":"NOT_FOUND","reason":"FILE_NOT_FOUND","message":"there is no \"a\""})");
}

}  // namespace
}  // namespace rawgate::file
