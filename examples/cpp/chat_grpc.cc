// An operator who answers everybody once: "hello". Until Ctrl-C.
//
// Usage: chat_grpc [HOST:PORT]
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

#include "gateway.h"
#include "printable.h"
#include "rawgate/chat/v1/chat_service.grpc.pb.h"

namespace rpc = rawgate::chat::v1;
using Chat = rpc::ChatService::Stub;

void Answer(Chat& chat, const std::string& session) {
  rpc::SendMessageRequest request;
  request.set_session_id(session);
  request.set_body("hello");
  // Repeated it sends nothing: that is how everybody gets one answer, also from an operator who
  // comes back.
  request.set_request_id("hello " + session);
  Call(chat, &Chat::SendMessage, request);
}

int main(int argc, char** argv) try {
  const auto chat = rpc::ChatService::NewStub(Connect(argc, argv, 1));
  grpc::ClientContext context;  // no deadline: this call is meant to last
  const auto watch = chat->WatchMessages(&context, {});
  // What is kept comes first, then what is written while we watch.
  for (rpc::WatchMessagesResponse response; watch->Read(&response);) {
    if (response.caught_up()) {
      std::cout << "waiting" << std::endl;
    } else if (response.message().direction() == rpc::DIRECTION_INBOUND) {
      const std::string& session = response.message().session_id();
      std::cout << session << ": " << Printable(response.message().body()) << std::endl;
      Answer(*chat, session);
    }
  }
  Check(watch->Finish());
  throw std::runtime_error("the watch has ended");
} catch (const std::exception& error) {
  std::cerr << "chat_grpc: " << error.what() << "\n";
  return 1;
}
