#include "services/time/ntp_packet.h"

#include <random>
#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace rawgate::timesvc {
namespace {

// 2^32 s after 1900.
const absl::Time kEra1 =
    absl::FromCivil(absl::CivilSecond(2036, 2, 7, 6, 28, 16), absl::UTCTimeZone());

std::string Request(unsigned version, unsigned mode, const std::string& trailer = "") {
  std::string bytes(kNtpHeaderSize, '\0');
  bytes[0] = static_cast<char>(version << 3 | mode);
  bytes[2] = 6;
  bytes.replace(40, 8, "\x01\x02\x03\x04\x05\x06\x07\x08");
  return bytes + trailer;
}

// An extension field of `size` bytes, with its own size in it.
std::string Field(size_t size) {
  std::string field(size, 'x');
  field[2] = static_cast<char>(size >> 8);
  field[3] = static_cast<char>(size & 0xff);
  return field;
}

const std::string kMac(20, 'm');

TEST(NtpTimestampTest, CountsFrom1900) {
  EXPECT_EQ(ToNtpTimestamp(absl::UnixEpoch()), uint64_t{2'208'988'800} << 32);
  EXPECT_EQ(ToNtpTimestamp(absl::FromUnixMillis(500)), uint64_t{2'208'988'800} << 32 | 0x8000'0000);
  EXPECT_EQ(ToNtpTimestamp(absl::FromUnixMillis(-500)),
            uint64_t{2'208'988'799} << 32 | 0x8000'0000);
  EXPECT_EQ(ToNtpTimestamp(absl::FromUnixNanos(999'999'999)),
            uint64_t{2'208'988'800} << 32 | 0xffff'fffb);
  EXPECT_EQ(ToNtpTimestamp(absl::FromCivil(absl::CivilDay(1900, 1, 1), absl::UTCTimeZone())), 0u);
}

TEST(NtpTimestampTest, BeginsAgainIn2036) {
  EXPECT_EQ(ToNtpTimestamp(kEra1 - absl::Seconds(1)), uint64_t{0xffff'ffff} << 32);
  EXPECT_EQ(ToNtpTimestamp(kEra1), 0u);
  EXPECT_EQ(ToNtpTimestamp(kEra1 + absl::Seconds(1.5)), uint64_t{1} << 32 | 0x8000'0000);
}

TEST(NtpTimestampTest, IsReadInTheNearestEra) {
  const NtpTimestamp before = ToNtpTimestamp(kEra1 - absl::Seconds(2));
  const NtpTimestamp after = ToNtpTimestamp(kEra1 + absl::Seconds(2));
  for (const absl::Duration away : {absl::ZeroDuration(), absl::Hours(1), -absl::Hours(1),
                                    absl::Hours(24 * 365 * 67), -absl::Hours(24 * 365 * 67)}) {
    EXPECT_EQ(FromNtpTimestamp(before, kEra1 + away), kEra1 - absl::Seconds(2)) << away;
    EXPECT_EQ(FromNtpTimestamp(after, kEra1 + away), kEra1 + absl::Seconds(2)) << away;
  }
}

TEST(NtpTimestampTest, ComesBackWithinANanosecond) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 10'000; ++i) {
    const absl::Time time = absl::UnixEpoch() + absl::Nanoseconds(random() >> 1);
    const absl::Duration lost = time - FromNtpTimestamp(ToNtpTimestamp(time), time);
    EXPECT_GE(lost, absl::ZeroDuration()) << time;
    EXPECT_LE(lost, absl::Nanoseconds(1)) << time;
  }
}

TEST(NtpRequestTest, IsOfModeThreeInVersionsOneToFour) {
  for (unsigned version = 0; version < 8; ++version) {
    for (unsigned mode = 0; mode < 8; ++mode) {
      SCOPED_TRACE(::testing::Message() << "version " << version << " mode " << mode);
      const bool by_port = version == 1 && mode == 0;
      const bool good = by_port || (version >= 1 && version <= 4 && mode == 3);
      const std::optional<NtpRequest> request = ParseNtpRequest(Request(version, mode));
      ASSERT_EQ(request.has_value(), good);
      if (!good) continue;
      EXPECT_EQ(request->version, version);
      EXPECT_EQ(request->mode_by_port, by_port);
      EXPECT_FALSE(request->has_mac);
      EXPECT_EQ(request->poll, 6);
      EXPECT_EQ(request->transmit, 0x0102'0304'0506'0708u);
    }
  }
}

TEST(NtpRequestTest, LeapAndPollMayBeAnything) {
  std::string bytes = Request(4, 3);
  bytes[0] = static_cast<char>(0xe3);
  bytes[2] = static_cast<char>(-6);
  const std::optional<NtpRequest> request = ParseNtpRequest(bytes);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->version, 4);
  EXPECT_EQ(request->poll, -6);
}

TEST(NtpRequestTest, IsNoneWhenItsSizeIsWrong) {
  const std::string whole = Request(4, 3, std::string(100, '\0'));
  for (size_t size = 0; size <= kNtpHeaderSize + 20; ++size) {
    const bool good = size == kNtpHeaderSize || size == kNtpHeaderSize + 20;
    EXPECT_EQ(ParseNtpRequest(whole.substr(0, size)).has_value(), good) << size;
  }
}

TEST(NtpRequestTest, MayHaveAMac) {
  for (unsigned version = 1; version <= 4; ++version) {
    for (size_t size = 0; size <= 80; ++size) {
      const std::optional<NtpRequest> request =
          ParseNtpRequest(Request(version, 3, std::string(size, '\xff')));
      ASSERT_EQ(request.has_value(), size == 0 || size == 20 || size == 24)
          << version << " " << size;
      if (request.has_value()) {
        EXPECT_EQ(request->has_mac, size > 0);
      }
    }
  }
}

TEST(NtpRequestTest, MayHaveExtensionFieldsInVersionFour) {
  const auto has_mac = [](const std::string& trailer) {
    const std::optional<NtpRequest> request = ParseNtpRequest(Request(4, 3, trailer));
    return request.has_value() ? (request->has_mac ? "mac" : "none") : "malformed";
  };
  EXPECT_EQ(has_mac(Field(28)), "none");
  EXPECT_EQ(has_mac(Field(16) + Field(28)), "none");
  EXPECT_EQ(has_mac(Field(600) + Field(100)), "none");
  EXPECT_EQ(has_mac(Field(16) + kMac), "mac");
  EXPECT_EQ(has_mac(Field(16) + kMac + "1234"), "mac");
  EXPECT_EQ(has_mac(Field(16) + Field(32) + kMac), "mac");
  // Behind a field, what is no larger than a MAC is one, or nothing at all.
  EXPECT_EQ(has_mac(Field(28) + Field(16)), "malformed");
  EXPECT_EQ(has_mac(Field(28) + "1234"), "malformed");
  EXPECT_EQ(ParseNtpRequest(Request(3, 3, Field(28))).has_value(), false);
}

TEST(NtpRequestTest, IsNoneWhenAnExtensionFieldIsMalformed) {
  for (const size_t stated : {0, 4, 12, 15, 29, 30, 31, 32, 0xffff}) {
    std::string field = Field(28);
    field[2] = static_cast<char>(stated >> 8);
    field[3] = static_cast<char>(stated & 0xff);
    EXPECT_FALSE(ParseNtpRequest(Request(4, 3, field)).has_value()) << stated;
    EXPECT_FALSE(ParseNtpRequest(Request(4, 3, Field(16) + field)).has_value()) << stated;
  }
}

TEST(NtpReplyTest, IsWrittenAsInTheRfc) {
  NtpReply reply;
  reply.leap = LeapIndicator::kLastMinute59;
  reply.version = 3;
  reply.stratum = 10;
  reply.poll = 6;
  reply.precision = -24;
  reply.root_delay = absl::Seconds(1.5);
  reply.root_dispersion = absl::Milliseconds(1);
  reply.reference_id = {'\x7f', '\x7f', '\x01', '\x01'};
  reply.reference = 0x1112'1314'1516'1718;
  reply.origin = 0x2122'2324'2526'2728;
  reply.receive = 0x3132'3334'3536'3738;
  reply.transmit = 0x4142'4344'4546'4748;
  std::string out(100, '?');
  out.resize(SerializeNtpReply(reply, out));
  EXPECT_EQ(absl::BytesToHexString(out),
            "9c0a06e8"
            "00018000"
            "00000042"
            "7f7f0101"
            "1112131415161718"
            "2122232425262728"
            "3132333435363738"
            "4142434445464748");
}

TEST(NtpReplyTest, EndsWithTheCryptoNak) {
  NtpReply reply;
  reply.crypto_nak = true;
  std::string out(100, '?');
  ASSERT_EQ(SerializeNtpReply(reply, out), 52u);
  EXPECT_EQ(out.substr(48, 5), std::string("\0\0\0\0?", 5));
}

TEST(NtpReplyTest, IsWholeOrNotThere) {
  NtpReply reply;
  std::string out(kNtpHeaderSize, '?');
  EXPECT_EQ(SerializeNtpReply(reply, std::span(out).first(47)), 0u);
  EXPECT_EQ(SerializeNtpReply(reply, std::span<char>()), 0u);
  EXPECT_EQ(out, std::string(kNtpHeaderSize, '?'));
  EXPECT_EQ(SerializeNtpReply(reply, out), kNtpHeaderSize);
  reply.crypto_nak = true;
  EXPECT_EQ(SerializeNtpReply(reply, out), 0u);
}

TEST(NtpReplyTest, DelaysAreCutToWhatTheFieldHolds) {
  const auto dispersion = [](absl::Duration duration) {
    NtpReply reply;
    reply.root_dispersion = duration;
    std::string out(kNtpHeaderSize, '?');
    SerializeNtpReply(reply, out);
    return absl::BytesToHexString(out.substr(8, 4));
  };
  EXPECT_EQ(dispersion(absl::ZeroDuration()), "00000000");
  EXPECT_EQ(dispersion(absl::Nanoseconds(1)), "00000001");
  EXPECT_EQ(dispersion(absl::Seconds(65'535)), "ffff0000");
  EXPECT_EQ(dispersion(absl::Hours(24)), "ffffffff");
  EXPECT_EQ(dispersion(absl::InfiniteDuration()), "ffffffff");
  EXPECT_EQ(dispersion(absl::Seconds(-1)), "00000000");
}

}  // namespace
}  // namespace rawgate::timesvc
