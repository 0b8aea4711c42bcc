// What the lesson half-close says.
#include <array>

#include "cli/lab/lesson_texts.h"

namespace rawgate::cli::lab {
namespace {

constexpr std::array kTexts = std::to_array<Text>({
    {"half-close.title", "Half-close: I have said all, and I am listening",
     "半关闭：话说完了，还在听"},
    {"half-close.see",
     "A TCP connection has two directions, and each ends by itself. shutdown(SHUT_WR) ends the "
     "client's with a FIN. The service reads to the end, answers what it owes, and only then "
     "closes. close() instead ends both: nobody will read any more, and where something waits "
     "unread, the kernel sends a RST instead of the FIN.",
     "TCP 连接有两个方向，各自独立结束。shutdown(SHUT_WR) 用一个 FIN "
     "结束客户端到服务端的方向，这就是半关闭 "
     "(half-close)；服务端读到末尾，把该答的答完，然后才关闭。close() 则把两个方向一起结束："
     "再也没有人读了；如果还有数据没读，内核发出的就不是 FIN，而是 RST。"},
    {"half-close.cure",
     "Where the end of the data is the end of the request, end your direction with "
     "shutdown(SHUT_WR), read until recv() returns nothing, then close.",
     "如果“数据到此为止”就表示请求结束，先用 shutdown(SHUT_WR) 结束自己的方向，再一直读到 recv() "
     "返回空，"
     "最后 close()。"},
    {"half-close.try",
     "printf hello | nc -N 127.0.0.1 8080 does the same: -N is shutdown(SHUT_WR) at the end of "
     "input.\n"
     "rawgate watch echo shows how the service saw each connection end.",
     "printf hello | nc -N 127.0.0.1 8080：效果相同，-N 就是在输入结束时 shutdown(SHUT_WR)。\n"
     "rawgate watch echo：看服务端眼中每个连接是怎样结束的。"},
    {"scene.shutdown", "shutdown(SHUT_WR), then read to the end",
     "shutdown(SHUT_WR)，然后读到结束"},
    {"scene.close", "close() with the answer unread", "应答还没有读就 close()"},
    {"answerFirst", "the answer may have come before the FIN was sent.",
     "应答可能在 FIN 发出之前就到了。"},
    {"notReset",
     "the service was told of no reset; something between (a proxy) may have made a FIN of it.",
     "服务端没有得知重置，也许中间有什么（例如代理）把它变成了 FIN。"},
    {"happened.shutdown",
     "The client sent its FIN at {fin}, and could not send any more. The answer '{answer}' "
     "({answerBytes} bytes) came all the same, read at {answered}, and the service's FIN behind "
     "it. "
     "To the service the connection ended well: {endOfHalf}.",
     "客户端在 {fin} 发出 FIN，此后不能再发送。应答“{answer}”（{answerBytes} 字节）仍然到达，"
     "在 {answered} 被读出，后面跟着服务端的 FIN。在服务端看来连接正常结束：{endOfHalf}。"},
    {"happened.close",
     "The {unread} bytes of the answer had come and were unread when the client called close(). "
     "Its "
     "kernel threw them away and said so: a RST went out, no FIN (RFC 1122, 4.2.2.13). To the "
     "service the connection did not end, it broke: {endOfWhole}. Had close() come before the "
     "answer, first a FIN would have gone out, and the RST as soon as the answer came: nobody "
     "reads it either way.",
     "客户端调用 close() 时，应答的 {unread} 字节已经到了，但还没有读。内核丢弃了它们，并且如实告诉"
     "对方：发出的是 RST，不是 FIN（RFC 1122 第 4.2.2.13 "
     "节）。在服务端看来，连接不是结束了，而是断了："
     "{endOfWhole}。如果 close() 早于应答，先发出的是 FIN，应答一到再回 "
     "RST：两种情况下都没有人读它。"},
    {"happened.notReset",
     "With close() nobody read the {unread} bytes of the answer, and yet the service says of the "
     "end: {endOfWhole}.",
     "close() 之后，应答的 {unread} 字节没有人读，而服务端对这次结束的说法却是：{endOfWhole}。"},
});

}  // namespace

absl::Span<const Text> HalfCloseTexts() { return kTexts; }

}  // namespace rawgate::cli::lab
