#include "cli/fault_text.h"

#include "cli/proto_text.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

TEST(FaultsText, Streams) {
  control::v1::Faults faults;
  EXPECT_EQ(FaultsText(faults), "");
  faults.set_seed(7);
  faults.set_fail_first(2);
  *faults.mutable_stream_received()->mutable_delay() = ToProto(absl::Milliseconds(20));
  *faults.mutable_stream_received()->mutable_jitter() = ToProto(absl::Milliseconds(5));
  faults.mutable_stream_received()->set_split_bytes(1);
  faults.mutable_stream_sent()->set_bytes_per_second(2048);
  faults.mutable_stream_sent()->set_merge_bytes(10);
  faults.mutable_stream_sent()->set_cut_after_bytes(100);
  EXPECT_EQ(FaultsText(faults),
            "fail first 2; received: delay 20ms, jitter 5ms, split 1; "
            "sent: rate 2.0 KiB/s, merge 10, cut after 100 bytes; seed 7");
  faults.mutable_stream_sent()->set_cut_with_reset(true);
  EXPECT_NE(FaultsText(faults).find("reset after 100 bytes"), std::string::npos);
}

TEST(FaultsText, Datagrams) {
  control::v1::Faults faults;
  faults.mutable_datagrams_sent()->set_loss(0.05);
  faults.mutable_datagrams_sent()->set_corruption(0.001);
  EXPECT_EQ(FaultsText(faults), "sent: loss 5%, corruption 0.1%; seed 0");
  *faults.mutable_datagrams_received() = faults.datagrams_sent();
  EXPECT_EQ(FaultsText(faults), "loss 5%, corruption 0.1%; seed 0");
}

TEST(FaultsText, Counters) {
  control::v1::FaultCounters counters;
  EXPECT_EQ(HitsText(counters), "");
  counters.set_datagrams_lost(3);
  counters.set_connections_cut(1);
  EXPECT_EQ(HitsText(counters), "1 cut, 3 lost");
}

}  // namespace
}  // namespace rawgate::cli
