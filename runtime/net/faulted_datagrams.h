// The datagrams of one listener while it has faults, both ways, and the timer that those who wait
// are waiting for. Runs on the listener's loop thread.
#pragma once

#include <chrono>
#include <cstdint>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "runtime/net/datagram_fault_path.h"
#include "runtime/net/faults.h"

namespace rawgate::net {

class FaultedDatagrams {
 public:
  // The listener.
  class Owner {
   public:
    // A datagram comes, now. Answers go to Send().
    virtual void DeliverFaulted(const CarriedDatagram& datagram) = 0;
    // It leaves, now.
    virtual void SendFaulted(const CarriedDatagram& datagram) = 0;
    virtual void OnFault(FaultKind kind, const Endpoint& peer, bool received) = 0;
    // There was no room for so many.
    virtual void OnFaultOverflow(size_t datagrams) = 0;

   protected:
    ~Owner() = default;
  };

  // `loop` and `owner` outlive this object. While the loop runs, it is freed by a handler that is
  // posted after Release().
  FaultedDatagrams(boost::asio::io_context& loop, const Faults& faults, Owner& owner);

  // What came, and what is to be sent. They go on from Run(), some of them later.
  void Receive(CarriedDatagram datagram);
  void Send(CarriedDatagram datagram);
  void Run();
  // The faults are over: everything that waits goes on now.
  void Release();

 private:
  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>,
                                        boost::asio::io_context::executor_type>;

  void Push(DatagramFaultPath& path, bool received, CarriedDatagram datagram);
  // False: nothing is due.
  bool PassOne(Nanoseconds now);

  Owner& owner_;
  uint32_t to_fail_;
  FaultBudget budget_;
  DatagramFaultPath received_;
  DatagramFaultPath sent_;
  Timer timer_;
  // Within Run(), which answers that are sent meanwhile need not call.
  bool running_ = false;
};

}  // namespace rawgate::net
