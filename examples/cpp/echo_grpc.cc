// echo through the gateway: one call, then a conversation on one stream.
//
// Usage: echo_grpc [HOST:PORT]
#include <exception>
#include <iostream>

#include "gateway.h"
#include "rawgate/echo/v1/echo_service.grpc.pb.h"

using rawgate::echo::v1::EchoService;

int main(int argc, char** argv) try {
  const auto stub = EchoService::NewStub(Connect(argc, argv, 1));

  rawgate::echo::v1::EchoRequest request;
  request.set_payload("hello");
  std::cout << "echo: " << Call(*stub, &EchoService::Stub::Echo, request).payload() << "\n";

  Within conversation(10);
  const auto stream = stub->Converse(&conversation);
  for (const char* const word : {"one", "two", "three"}) {
    rawgate::echo::v1::ConverseRequest turn;
    turn.set_payload(word);
    stream->Write(turn);
  }
  stream->WritesDone();  // our side of the stream; the answers still come
  for (rawgate::echo::v1::ConverseResponse answer; stream->Read(&answer);) {
    std::cout << "converse: " << answer.payload() << "\n";
  }
  // Why it ended: Write() and Read() say only that it has.
  Check(stream->Finish());
} catch (const std::exception& error) {
  std::cerr << "echo_grpc: " << error.what() << "\n";
  return 1;
}
