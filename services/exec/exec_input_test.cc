#include "services/exec/exec_input.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CommandInputTest : public ::testing::Test {
 protected:
  void OpenPipe() {
    std::array<int, 2> ends;
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    reader_.Reset(ends[0]);
    input_ = std::make_shared<CommandInput>(loop_, Fd(ends[1]), /*terminal=*/false);
  }
  void OpenTerminal() {
    Fd ours(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
    ASSERT_EQ(unlockpt(ours.get()), 0);
    reader_.Reset(open(ptsname(ours.get()), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
    ASSERT_TRUE(reader_);
    input_ = std::make_shared<CommandInput>(loop_, Fd(dup(ours.get())), /*terminal=*/true);
    // Whoever captures the output has it open until the end.
    output_ = std::move(ours);
  }
  void Write(const std::string& bytes, bool end = false,
             std::optional<uint64_t> offset = std::nullopt) {
    input_->Write(bytes, end, offset,
                  [this](const absl::Status& status) { done_.push_back(ReasonOf(status)); });
  }
  void Run() {
    loop_.restart();
    loop_.poll();
  }
  // What one read(2) brings; "EAGAIN" when there is nothing to be had.
  std::string Read() {
    std::array<char, 4096> buffer;
    const ssize_t n = read(reader_.get(), buffer.data(), buffer.size());
    return n < 0 ? "EAGAIN" : std::string(buffer.data(), static_cast<size_t>(n));
  }

  boost::asio::io_context loop_{1};
  Fd reader_;
  Fd output_;
  std::shared_ptr<CommandInput> input_;
  std::vector<std::string> done_;
};

TEST_F(CommandInputTest, BytesThenTheEnd) {
  OpenPipe();
  Write("one", false, 0);
  Write("two", true, 3);
  EXPECT_THAT(done_, IsEmpty());
  Run();
  EXPECT_THAT(done_, ElementsAre("OK", "OK"));
  EXPECT_EQ(Read(), "onetwo");
  EXPECT_EQ(Read(), "");
  EXPECT_EQ(input_->size(), 6u);
  EXPECT_FALSE(input_->open());
  Write("late");
  Run();
  EXPECT_EQ(done_.back(), "STDIN_CLOSED");
}

TEST_F(CommandInputTest, OneMayWaitBehindAnother) {
  OpenPipe();
  Write(std::string(100'000, 'x'));
  Write("y");
  Run();
  EXPECT_THAT(done_, IsEmpty());
  Write("z");
  Run();
  EXPECT_THAT(done_, ElementsAre("STDIN_BUSY"));
  for (size_t read = 0; read < 100'001; Run()) read += Read().size();
  EXPECT_THAT(done_, ElementsAre("STDIN_BUSY", "OK", "OK"));
  EXPECT_EQ(input_->size(), 100'001u);
}

TEST_F(CommandInputTest, OffsetsAreLookedAtInTurn) {
  OpenPipe();
  Write("abc", false, 1);
  Write("abc", false, 0);
  Run();
  EXPECT_THAT(done_, ElementsAre("WRONG_OFFSET", "OK"));
  EXPECT_EQ(Read(), "abc");
}

TEST_F(CommandInputTest, AReaderThatGoes) {
  OpenPipe();
  signal(SIGPIPE, SIG_IGN);
  Write(std::string(100'000, 'x'));
  Write("y");
  Run();
  reader_.Reset();
  Run();
  Run();
  EXPECT_THAT(done_, ElementsAre("STDIN_CLOSED", "STDIN_CLOSED"));
}

TEST_F(CommandInputTest, ATerminalsEndOfFileAfterALine) {
  OpenTerminal();
  Write("line\n", true);
  Run();
  EXPECT_EQ(Read(), "line\n");
  EXPECT_EQ(Read(), "");
  EXPECT_EQ(Read(), "EAGAIN");
  EXPECT_EQ(input_->size(), 5u);
  Write("late");
  Run();
  EXPECT_THAT(done_, ElementsAre("OK", "STDIN_CLOSED"));
}

TEST_F(CommandInputTest, ATerminalsEndOfFileWithinALine) {
  OpenTerminal();
  Write("half");
  Write("", true);
  Run();
  EXPECT_EQ(Read(), "half");
  EXPECT_EQ(Read(), "");
}

TEST_F(CommandInputTest, ATerminalMayHaveAnotherEndOfFile) {
  OpenTerminal();
  termios settings;
  ASSERT_EQ(tcgetattr(reader_.get(), &settings), 0);
  settings.c_cc[VEOF] = 7;
  ASSERT_EQ(tcsetattr(reader_.get(), TCSANOW, &settings), 0);
  Write("line\n", true);
  Run();
  EXPECT_EQ(Read(), "line\n");
  EXPECT_EQ(Read(), "");
}

}  // namespace
}  // namespace rawgate::exec
