#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "cli/command_testing.h"
#include "cli/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Digest(const std::string& content) {
  Sha256 sha256;
  sha256.Add(content);
  return sha256.Finish();
}

// A store in memory that can be told to do wrong.
class FakeStore final : public file::v1::FileService::Service {
 public:
  grpc::Status GetLimits(grpc::ServerContext*, const file::v1::GetLimitsRequest*,
                         file::v1::GetLimitsResponse* response) override {
    response->set_max_file_bytes(1'000'000);
    response->set_max_chunk_bytes(1000);
    return grpc::Status::OK;
  }

  grpc::Status Upload(grpc::ServerContext*, grpc::ServerReader<file::v1::UploadRequest>* reader,
                      file::v1::UploadResponse* response) override {
    file::v1::UploadRequest request;
    reader->Read(&request);
    const file::v1::UploadStart start = request.start();
    if (start.if_absent() && files.count(start.filename()) > 0) {
      return rpc::ToGrpc(Error(absl::StatusCode::kAlreadyExists, "FILE_EXISTS", "it exists"));
    }
    std::string content;
    while (reader->Read(&request)) {
      largest_chunk = std::max(largest_chunk, request.data().size());
      content += request.data();
    }
    if (content.size() != start.size()) {
      return rpc::ToGrpc(Error(absl::StatusCode::kInvalidArgument, "SIZE_MISMATCH", "too short"));
    }
    if (corrupt) content[0] ^= 1;
    files[start.filename()] = content;
    response->mutable_file()->set_filename(start.filename());
    response->mutable_file()->set_size(content.size());
    response->mutable_file()->mutable_digests()->set_sha256(Digest(content));
    return grpc::Status::OK;
  }

  grpc::Status Download(grpc::ServerContext*, const file::v1::DownloadRequest* request,
                        grpc::ServerWriter<file::v1::DownloadResponse>* writer) override {
    const auto found = files.find(request->filename());
    if (found == files.end()) {
      return rpc::ToGrpc(Error(absl::StatusCode::kNotFound, "FILE_NOT_FOUND",
                               "no such file: " + request->filename()));
    }
    std::string content = found->second;
    file::v1::DownloadResponse response;
    response.mutable_header()->mutable_file()->set_size(content.size());
    response.mutable_header()->set_length(content.size());
    writer->Write(response);
    const std::string digest = Digest(content);
    if (truncate) content.pop_back();
    if (corrupt) content[0] ^= 1;
    for (size_t i = 0; i < content.size(); i += 1000) {
      response.set_data(content.substr(i, 1000));
      writer->Write(response);
      if (interrupt != nullptr) interrupt->Deliver(2);
    }
    if (break_off) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed");
    response.mutable_trailer()->set_sha256(digest);
    if (!without_trailer) writer->Write(response);
    return grpc::Status::OK;
  }

  grpc::Status ListFiles(grpc::ServerContext*, const file::v1::ListFilesRequest* request,
                         file::v1::ListFilesResponse* response) override {
    // One entry a page.
    auto entry = files.begin();
    std::advance(entry, request->page_token().empty() ? 0 : std::stol(request->page_token()));
    auto& file = *response->add_files();
    file.set_filename(entry->first);
    file.set_size(entry->second.size());
    file.set_type(file::v1::ENTRY_TYPE_FILE);
    const auto next = std::distance(files.begin(), entry) + 1;
    if (next < static_cast<std::ptrdiff_t>(files.size())) {
      response->set_next_page_token(std::to_string(next));
    }
    return grpc::Status::OK;
  }

  grpc::Status StatFile(grpc::ServerContext*, const file::v1::StatFileRequest* request,
                        file::v1::StatFileResponse* response) override {
    response->mutable_file()->set_filename(request->filename());
    response->mutable_file()->set_type(file::v1::ENTRY_TYPE_FILE);
    response->mutable_file()->set_size(4096);
    response->mutable_file()->mutable_digests()->set_sha256("ab12");
    return grpc::Status::OK;
  }

  std::map<std::string, std::string> files;
  size_t largest_chunk = 0;
  bool corrupt = false;
  bool truncate = false;
  bool break_off = false;
  bool without_trailer = false;
  // Delivered to in the middle of a download.
  Interrupt* interrupt = nullptr;
};

// A folder of the test's own.
class FileCommands : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "rawgate-cli-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(Path(name), std::ios::binary) << content;
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(Path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  std::string folder_;
  FakeStore store_;
  FakeGateway gateway_{&store_};
};

std::string Content(size_t size) {
  std::string content(size, '\0');
  for (size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31 % 251);
  return content;
}

TEST_F(FileCommands, PutStoresAllBytesUnderTheLastPartOfTheName) {
  for (const size_t size : {0, 1, 999, 1000, 1001, 50'000}) {
    Write("notes.bin", Content(size));
    const CliResult result = gateway_.Run({"put", Path("notes.bin")});
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(store_.files["notes.bin"], Content(size));
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(result.out, Digest(Content(size)) + "  notes.bin\n");
  }
  EXPECT_EQ(store_.largest_chunk, 1000u);
}

TEST_F(FileCommands, PutTakesAnotherName) {
  Write("a", "content");
  EXPECT_EQ(gateway_.Run({"put", Path("a"), "--to", "b/c", "-q"}).out, "");
  EXPECT_EQ(store_.files["b/c"], "content");
}

TEST_F(FileCommands, FilesOfThisSideMayBeCalledAnything) {
  Write("b\xff", "content");
  const CliResult refused = gateway_.Run({"put", Path("b\xff")});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.error,
              HasSubstr(R"(FILE: "b\xff" is not UTF-8; --to gives it another name)"));
  EXPECT_EQ(gateway_.Run({"put", Path("b\xff"), "--to", "b", "-q"}).code, 0);
  EXPECT_EQ(store_.files["b"], "content");
  EXPECT_EQ(gateway_.Run({"get", "b", "-o", Path("c\xff"), "-q"}).code, 0);
  EXPECT_EQ(Read("c\xff"), "content");
}

TEST_F(FileCommands, PutDoesNotReplaceWhenToldSo) {
  Write("a", "new");
  store_.files["a"] = "old";
  const CliResult result = gateway_.Run({"put", Path("a"), "--if-absent"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.error, "rawgate put: it exists. Without --if-absent it is replaced.\n");
  EXPECT_EQ(store_.files["a"], "old");
}

TEST_F(FileCommands, PutComparesWhatWasStored) {
  Write("a", "content");
  store_.corrupt = true;
  const CliResult result = gateway_.Run({"put", Path("a")});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("what was stored is not what was sent"));
  EXPECT_EQ(result.out, "");
}

TEST_F(FileCommands, PutRefusesBeforeSending) {
  EXPECT_THAT(gateway_.Run({"put", Path("none")}).error, HasSubstr("No such file or directory"));
  EXPECT_THAT(gateway_.Run({"put", folder_}).error, HasSubstr("not a regular file"));
  Write("big", std::string(1'000'001, 'x'));
  const CliResult result = gateway_.Run({"put", Path("big")});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("the store takes at most"));
  EXPECT_THAT(store_.files, IsEmpty());
}

TEST_F(FileCommands, GetWritesTheFile) {
  for (const size_t size : {0, 1, 1000, 50'001}) {
    store_.files["a/b.bin"] = Content(size);
    const CliResult result = gateway_.Run({"get", "a/b.bin", "-o", folder_});
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(Read("b.bin"), Content(size));
    EXPECT_THAT(Names(), ElementsAre("b.bin"));
    EXPECT_EQ(result.out, Digest(Content(size)) + "  " + Path("b.bin") + "\n");
  }
}

TEST_F(FileCommands, GetToStandardOutput) {
  store_.files["a"] = Content(3000);
  const CliResult result = gateway_.Run({"get", "a", "-o", "-"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, Content(3000));
}

TEST_F(FileCommands, AnOlderFileSurvivesEveryFailure) {
  Write("a", "old");
  store_.files["a"] = Content(5000);
  const auto expect_failure = [&](const std::string& error) {
    const CliResult result = gateway_.Run({"get", "a", "-o", Path("a")});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.error, HasSubstr(error));
    EXPECT_EQ(Read("a"), "old");
    EXPECT_THAT(Names(), ElementsAre("a"));
  };
  store_.truncate = true;
  expect_failure("4999 of 5000 bytes");
  store_.truncate = false;
  store_.corrupt = true;
  expect_failure("SHA-256");
  store_.corrupt = false;
  store_.without_trailer = true;
  expect_failure("ended without its digest");
  store_.break_off = true;
  expect_failure("lost the gateway");
  store_.files.clear();
  expect_failure("no such file: a. 'rawgate ls' lists what is there.");
}

TEST_F(FileCommands, AnInterruptLeavesNothingBehind) {
  Write("a", "old");
  store_.files["a"] = Content(500'000);
  Interrupt interrupt;
  store_.interrupt = &interrupt;
  const CliResult result = gateway_.Run({"get", "a", "-o", Path("a")}, "", interrupt);
  gateway_.Stop();
  EXPECT_EQ(result.code, 130);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(Read("a"), "old");
  EXPECT_THAT(Names(), ElementsAre("a"));
}

TEST_F(FileCommands, GetKeepsPermissionsAndLinks) {
  Write("real", "old");
  ASSERT_EQ(::chmod(Path("real").c_str(), 0640), 0);
  std::filesystem::create_symlink("real", Path("link"));
  store_.files["a"] = "new";
  EXPECT_EQ(gateway_.Run({"get", "a", "-o", Path("link")}).code, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(Path("link")));
  EXPECT_EQ(Read("real"), "new");
  struct stat status {};
  ASSERT_EQ(::stat(Path("real").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST_F(FileCommands, GetWritesToWhatIsNoRegularFile) {
  ASSERT_EQ(::mkfifo(Path("pipe").c_str(), 0600), 0);
  store_.files["a"] = "through";
  // Opened both ways, so that neither end waits for the other.
  const Fd reader(::open(Path("pipe").c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_EQ(gateway_.Run({"get", "a", "-o", Path("pipe")}).code, 0);
  char bytes[16];
  EXPECT_EQ(std::string(bytes, static_cast<size_t>(::read(reader.get(), bytes, sizeof bytes))),
            "through");
  EXPECT_TRUE(std::filesystem::is_fifo(Path("pipe")));
}

TEST_F(FileCommands, GetIntoAFolderThatIsNotThere) {
  store_.files["a"] = "x";
  EXPECT_THAT(gateway_.Run({"get", "a", "-o", Path("no/where")}).error,
              HasSubstr("No such file or directory"));
}

TEST_F(FileCommands, LsShowsEveryPage) {
  store_.files = {{"a\nb", "12345"}, {"c", ""}};
  const CliResult result = gateway_.Run({"ls"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("a\\nb\n"));
  EXPECT_THAT(result.out, HasSubstr("c\n"));
  EXPECT_THAT(gateway_.Run({"ls", "--json"}).out, HasSubstr(R"("filename":"a\nb")"));
}

TEST_F(FileCommands, StatShowsWhatIsKnown) {
  const CliResult result = gateway_.Run({"stat", "x"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("size      4096 bytes (4.0 KiB)\n"));
  EXPECT_THAT(result.out, HasSubstr("sha256    ab12\n"));
  EXPECT_THAT(gateway_.Run({"stat", "x", "--json"}).out, HasSubstr("\"size\": \"4096\""));
}

}  // namespace
}  // namespace rawgate::cli
