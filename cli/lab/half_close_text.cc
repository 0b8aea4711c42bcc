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
     "closes. "
     "close() instead ends both: whatever still comes has nobody to read it.",
     "TCP 连接有两个方向，各自独立结束。shutdown(SHUT_WR) 用一个 FIN "
     "结束客户端到服务端的方向，这就是半关闭 "
     "(half-close)；服务端读到末尾，把该答的答完，然后才关闭。close() 则把两个方向一起结束："
     "之后再来的数据没有人读。"},
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
    {"scene.close", "close() at once", "立即 close()"},
    {"answerFirst", "the answer had come before the FIN was sent.", "FIN 发出之前应答已经到了。"},
    {"happened.shutdown",
     "The client sent its FIN at {fin}, and could not send any more. The answer '{answer}' "
     "({answerBytes} bytes) came all the same, at {answered}; then the service's FIN. To the "
     "service "
     "the connection ended well: {endOfHalf}.",
     "客户端在 {fin} 发出 FIN，此后不能再发送。应答“{answer}”（{answerBytes} 字节）仍然在 "
     "{answered} 到达，"
     "随后是服务端的 FIN。在服务端看来连接正常结束：{endOfHalf}。"},
    {"happened.close",
     "With close() nobody was there for the answer, and the service says of the end: {endOfWhole}. "
     "Where the answer meets a socket that is gone, the client's kernel replies with a RST.",
     "用 close() 时，应答来了也没有人收。服务端对这次结束的说法是：{endOfWhole}。"
     "应答碰上已经不存在的套接字时，客户端的内核会回一个 RST。"},
});

}  // namespace

absl::Span<const Text> HalfCloseTexts() { return kTexts; }

}  // namespace rawgate::cli::lab
