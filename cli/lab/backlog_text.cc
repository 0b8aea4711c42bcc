// What the lesson backlog says.
#include <array>

#include "cli/lab/lesson_texts.h"

namespace rawgate::cli::lab {
namespace {

constexpr std::array kTexts = std::to_array<Text>({
    {"backlog.title", "The backlog: connected, and not yet accepted",
     "等待队列：已连接，但还没有被接受"},
    {"backlog.see",
     "connect() succeeds when the kernel of the other side has put the connection into the "
     "listener's queue; accept() takes it out later. First the live echo service. It accepts at "
     "once, so the rest is done with a listening socket of this process's own that does not: its "
     "queue is full after two, and further clients are left waiting.",
     "只要对方内核把连接放进监听套接字（socket）的队列（等待队列，backlog），connect() "
     "就成功了；accept() "
     "以后才把它取走。"
     "先看真实的 echo 服务。它总是立即接受，所以后半部分用本进程自己的、迟迟不 accept() "
     "的监听套接字来做："
     "两个连接就排满了，后来的客户端只能等。"},
    {"backlog.cure",
     "Accept in a loop that does nothing else, give listen() a backlog for bursts, and as a client "
     "set "
     "a limit to connect(). That connect() succeeded does not mean that anybody is there: only an "
     "answer does.",
     "让 accept() 循环只做这一件事，给 listen() 足够应付突发的 backlog；客户端则给 connect() "
     "设超时。"
     "connect() 成功并不说明有人在处理，只有应答才说明。"},
    {"backlog.try",
     "ss -ltn shows, for listening sockets, how many wait (Recv-Q) and the backlog (Send-Q).",
     "ss -ltn：对监听套接字，Recv-Q 是正在等待的连接数，Send-Q 是 backlog。"},
    {"scene.live", "The live service: connected, then accepted", "真实的服务：先连接，后接受"},
    {"scene.queue", "A listener of this process's own, listen(1), that does not accept at first",
     "本进程自己的监听套接字 listen(1)，起初不接受"},
    {"neverFull", "all clients were connected before anybody accepted.",
     "还没有人接受，所有客户端就都连上了。"},
    {"happened.live",
     "connect() had returned after {connected}; the service accepted at {accepted}. What the "
     "client "
     "sends in between waits in the receive buffer of a connection that no program has seen yet.",
     "connect() 在 {connected} 时已经返回，服务在 {accepted} 时才接受。这之间客户端发出的数据，"
     "待在一个还没有任何程序见过的连接的接收缓冲区里。"},
    {"happened.liveQuick",
     "The service accepted at {accepted}, by the time connect() had returned ({connected}): it was "
     "waiting for it. Under load the gap grows.",
     "服务在 {accepted} 接受，与 connect() 返回 ({connected}) "
     "几乎同时：它正等着呢。负载高时差距会变大。"},
    {"happened.queue",
     "Of {clients} clients {beforeAccept} were connected before anybody accepted: Linux queues one "
     "more than the backlog of {backlog}. The SYN of the other {waiting} was dropped without a "
     "word, "
     "so their kernels sent it again a second later. The last one was connected after {last}.",
     "{clients} 个客户端里，有 {beforeAccept} 个在无人接受时就连上了：Linux 的队列比 backlog "
     "({backlog}) 多放一个。"
     "另外 {waiting} 个的 SYN 被默默丢弃，它们的内核一秒后重发。最后一个在 {last} 时才连上。"},
});

}  // namespace

absl::Span<const Text> BacklogTexts() { return kTexts; }

}  // namespace rawgate::cli::lab
