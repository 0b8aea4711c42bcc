// What the lesson latency says.
#include <array>

#include "cli/lab/lesson_texts.h"

namespace rawgate::cli::lab {
namespace {

constexpr std::array kTexts = std::to_array<Text>({
    {"latency.title", "A round trip by TCP, and by a Unix socket",
     "一次往返：TCP 与 Unix 套接字（socket）"},
    {"latency.see",
     "The same 5 bytes go to echo and back, again and again, by TCP over loopback and by a Unix "
     "socket, by turns. The service is the same; what differs is the way through the kernel.",
     "同样的 5 个字节反复发给 echo 再收回来，TCP 环回 (loopback) 与 Unix 套接字 (Unix-domain "
     "socket) 轮流进行。"
     "服务是同一个，不同的是在内核里走的路。"},
    {"latency.cure",
     "On one machine prefer a Unix socket: it is quicker, has no port to clash, and the file's "
     "mode "
     "says who may connect. Look at the 99th percentile, not at the mean.",
     "同一台机器上优先用 Unix 套接字：更快，没有端口冲突，文件权限就能规定谁可以连接。"
     "要看第 99 百分位 (percentile)，不要只看平均值。"},
    {"latency.try",
     "rawgate bench echo measures more, with several connections at once.\n"
     "rawgate lab latency --json | python3 -m json.tool has all figures.",
     "rawgate bench echo：更全面的测量，可以多个连接并发。\n"
     "rawgate lab latency --json | python3 -m json.tool：全部数据。"},
    {"scene.trips", "Round trips with echo: the time that 50, 90 and 99 of 100 do not exceed",
     "与 echo 的往返时间：第 50、90、99 百分位"},
    {"bar.tcp50", "50 %  tcp", "50 %  tcp"},
    {"bar.unix50", "50 %  unix", "50 %  unix"},
    {"bar.tcp90", "90 %  tcp", "90 %  tcp"},
    {"bar.unix90", "90 %  unix", "90 %  unix"},
    {"bar.tcp99", "99 %  tcp", "99 %  tcp"},
    {"bar.unix99", "99 %  unix", "99 %  unix"},
    {"notQuicker", "the Unix socket was not quicker: the machine is busy with something else.",
     "Unix 套接字没有更快：机器正忙着别的事。"},
    {"happened",
     "Of {trips} round trips each, half took at most {tcp50} by TCP and {unix50} by the Unix "
     "socket, "
     "which saves {saved}. 99 of 100 took at most {tcp99} and {unix99}.",
     "各做 {trips} 次往返：一半不超过 {tcp50} (TCP) 和 {unix50} (Unix 套接字)，省下 {saved}；"
     "百分之九十九不超过 {tcp99} 和 {unix99}。"},
    {"happened.not",
     "Of {trips} round trips each, half took at most {tcp50} by TCP and {unix50} by the Unix "
     "socket, a "
     "difference of {saved}. 99 of 100 took at most {tcp99} and {unix99}.",
     "各做 {trips} 次往返：一半不超过 {tcp50} (TCP) 和 {unix50} (Unix 套接字)，相差 {saved}；"
     "百分之九十九不超过 {tcp99} 和 {unix99}。"},
});

}  // namespace

absl::Span<const Text> LatencyTexts() { return kTexts; }

}  // namespace rawgate::cli::lab
