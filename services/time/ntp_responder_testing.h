// A responder whose clocks stand still, and what it answers, field by field.
#pragma once

#include <string>

#include "gtest/gtest.h"
#include "runtime/testing/manual_clock.h"
#include "services/time/ntp_responder.h"
#include "services/time/ntp_session.h"
#include "services/time/test_clock.h"

namespace rawgate::timesvc {

inline constexpr NtpTimestamp kOrigin = 0xfeed'face'dead'beef;

// The fields of an answer as they are on the wire.
struct Answer {
  explicit Answer(std::string packet) : bytes(std::move(packet)) {}
  unsigned leap() const { return Byte(0) >> 6; }
  unsigned version() const { return Byte(0) >> 3 & 7; }
  unsigned mode() const { return Byte(0) & 7; }
  unsigned stratum() const { return Byte(1); }
  unsigned poll() const { return Byte(2); }
  int precision() const { return static_cast<int8_t>(bytes.at(3)); }
  double root_delay() const { return static_cast<double>(Number(4, 4)) / 65'536; }
  double root_dispersion() const { return static_cast<double>(Number(8, 4)) / 65'536; }
  std::string reference_id() const { return bytes.substr(12, 4); }
  NtpTimestamp reference() const { return Number(16, 8); }
  NtpTimestamp origin() const { return Number(24, 8); }
  NtpTimestamp receive() const { return Number(32, 8); }
  NtpTimestamp transmit() const { return Number(40, 8); }

  unsigned Byte(size_t at) const { return static_cast<unsigned char>(bytes.at(at)); }
  uint64_t Number(size_t at, size_t size) const {
    uint64_t number = 0;
    for (size_t i = at; i < at + size; ++i) number = number << 8 | Byte(i);
    return number;
  }

  std::string bytes;
};

class NtpResponderTest : public ::testing::Test {
 protected:
  std::string Request(unsigned version = 4, unsigned mode = 3) {
    std::string bytes(kNtpHeaderSize, '\0');
    bytes[0] = static_cast<char>(version << 3 | mode);
    bytes[2] = 9;
    bytes.replace(40, 8, "\xfe\xed\xfa\xce\xde\xad\xbe\xef");
    return bytes;
  }

  Answer Ask(const std::string& request, absl::string_view peer = "udp://192.0.2.1:40000") {
    const net::Endpoint source = net::Endpoint::Parse(peer).value();
    std::string reply(kReplyRoom, '?');
    const absl::Time received = received_ahead_ + real_.Now();
    const net::Datagram datagram{source, request, false, received, nullptr};
    // As a listener does.
    if (!session_.IsRequest(datagram)) return Answer("");
    reply.resize(session_.OnDatagram(datagram, reply).value_or(0));
    return Answer(reply);
  }
  Answer Ask() { return Ask(Request()); }
  Answer AskBeyondTheRate(const std::string& request) {
    const net::Endpoint source = net::Endpoint::Parse("udp://192.0.2.1:40000").value();
    std::string reply(kReplyRoom, '?');
    reply.resize(
        session_.OnRateExceeded({source, request, false, real_.Now(), nullptr}, reply).value_or(0));
    return Answer(reply);
  }
  void Set(const ClockSetting& setting) { ASSERT_TRUE(clock_.Set(setting).ok()); }
  NtpTimestamp Now() { return ToNtpTimestamp(clock_.Now()); }

  static constexpr size_t kReplyRoom = NtpResponder::kReplyMax;
  const absl::Time start_ = absl::FromUnixMillis(1'234'567'890'250);
  testing::ManualClock real_{start_};
  TestClock clock_{real_};
  TimeCore core_{clock_};
  absl::Duration received_ahead_;
  int kernel_asked_ = 0;
  KernelClockState kernel_{.synchronization = ClockSynchronization::kSynchronized,
                           .max_error = absl::Milliseconds(250)};
  NtpResponder responder_{core_, {.stratum = 7, .precision = -23, .kernel_clock = [this] {
                                    ++kernel_asked_;
                                    return kernel_;
                                  }}};
  NtpSession session_{responder_};
};

}  // namespace rawgate::timesvc
