// Replies of the raw listeners, read whole.
#pragma once

#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"
#include "runtime/net/framing.h"
#include "runtime/testing/raw_client.h"
#include "services/exec/exec_frame.h"
#include "services/exec/exec_service_testing.h"
#include "services/exec/exec_session.h"

namespace rawgate::exec {

using ::rawgate::testing::RawClient;

inline std::string ReadSized(RawClient& client) {
  const std::string size = client.ReadExactly(net::kI32Size);
  if (size.size() != net::kI32Size) return "no size";
  return client.ReadExactly(static_cast<size_t>(net::DecodeI32(size.data())));
}

struct HeaderReply {
  boost::json::object json;
  std::string body;
};

inline HeaderReply ReadWithHeader(RawClient& client) {
  HeaderReply reply;
  reply.json = boost::json::parse(ReadSized(client)).as_object();
  reply.body = client.ReadExactly(static_cast<size_t>(reply.json.at("total_size").as_int64()));
  return reply;
}

}  // namespace rawgate::exec
