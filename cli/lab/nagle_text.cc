// What the lesson nagle says.
#include <array>

#include "cli/lab/lesson_texts.h"

namespace rawgate::cli::lab {
namespace {

constexpr std::array kTexts = std::to_array<Text>({
    {"nagle.title", "The 40 milliseconds: Nagle's algorithm meets delayed acknowledgement",
     "神秘的 40 毫秒：Nagle 算法遇上延迟确认"},
    {"nagle.see",
     "A request to the file service in two writes: its size, then its JSON. Nagle's algorithm "
     "holds "
     "the second write back until the first is acknowledged; the service's kernel holds the "
     "acknowledgement back, hoping for an answer to carry it; and the service cannot answer before "
     "all is there. All wait, until the kernel's timer for delayed acknowledgements ends it.",
     "向 file 服务发一个请求，分两次写：先写长度，再写 JSON。Nagle 算法 (Nagle's algorithm) "
     "要等第一次写的"
     "数据得到确认，才放第二次写的数据走；服务端的内核却推迟确认 (delayed "
     "ACK)，想让应答顺便带上它；"
     "而服务要等请求到齐才能应答。三方互相等待，直到内核的延迟确认定时器到期。"},
    {"nagle.cure",
     "Write a whole request with one send(). Where that is not possible, set TCP_NODELAY. Write, "
     "write, read is the pattern to look for.",
     "一个请求用一次 send() 写完；做不到时，设置 TCP_NODELAY。要警惕的模式是：写、写、读。"},
    {"nagle.try",
     "rawgate lab coalescing-sender shows the same waiting where it does good.\n"
     "On a fresh connection it does not happen: the first segments are acknowledged at once "
     "(TCP_QUICKACK in tcp(7)). That is why this lesson makes four exchanges first.",
     "rawgate lab coalescing-sender：看看同样的等待有益的一面。\n"
     "刚建立的连接上看不到这个现象：最初的报文段会被立即确认（见 tcp(7) 的 TCP_QUICKACK），"
     "所以本课先做四次往返。"},
    {"scene.held", "Two writes, as a socket does it by default",
     "分两次写，套接字（socket）的默认行为"},
    {"scene.noDelay", "Two writes with TCP_NODELAY", "分两次写，设置 TCP_NODELAY"},
    {"scene.oneWrite", "One write", "一次写完"},
    {"scene.compared", "From the first write to the whole answer, median",
     "从第一次写到收齐应答的时间（中位数）"},
    {"bar.held", "two writes", "两次写"},
    {"bar.noDelay", "two writes, TCP_NODELAY", "两次写，TCP_NODELAY"},
    {"bar.oneWrite", "one write", "一次写"},
    {"notHeld",
     "the first write was acknowledged at once, so that nothing had to wait. Some kernels and some "
     "networks do that.",
     "第一次写的数据立即得到了确认，没有什么需要等待。有些内核和网络就是这样。"},
    {"slowService", "the service took as long with one write, so that something else is slow here.",
     "只写一次也同样慢，说明慢的另有原因。"},
    {"happened",
     "Of {trials} trials each, the median was {held} for two writes, {noDelay} with TCP_NODELAY, "
     "and "
     "{oneWrite} for one write. Bytes, service and machine were the same: the difference is "
     "waiting.",
     "各试 {trials} 次，中位数分别是：两次写 {held}，加上 TCP_NODELAY 为 {noDelay}，一次写 "
     "{oneWrite}。"
     "字节、服务、机器完全相同，差别全在等待。"},
    {"happened.not",
     "Of {trials} trials each, the median was {held} for two writes, {noDelay} with TCP_NODELAY, "
     "and "
     "{oneWrite} for one write.",
     "各试 {trials} 次，中位数分别是：两次写 {held}，加上 TCP_NODELAY 为 {noDelay}，一次写 "
     "{oneWrite}。"},
});

}  // namespace

absl::Span<const Text> NagleTexts() { return kTexts; }

}  // namespace rawgate::cli::lab
