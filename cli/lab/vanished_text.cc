// What the lesson vanished says.
#include <array>

#include "cli/lab/lesson_texts.h"

namespace rawgate::cli::lab {
namespace {

constexpr std::array kTexts = std::to_array<Text>({
    {"vanished.title", "A peer that is gone: who is told, and when",
     "对端消失：谁会知道，何时知道"},
    {"vanished.see",
     "A process that dies leaves a kernel behind, which tells the other side: FIN, or RST. A "
     "machine "
     "that vanishes leaves nobody: no packet comes, and only a timer of one's own tells. Both, "
     "from "
     "both sides, and the same with datagrams.",
     "进程死了，内核还在，它会通知对方：FIN 或 "
     "RST。整台机器消失了，就没有谁来通知：一个包也不会来，"
     "只有自己的定时器 (timer) 能发现。下面从两端分别看这两种情况，再看数据报 (datagram) 的情况。"},
    {"vanished.cure",
     "Treat the empty recv(), ECONNRESET and EPIPE as ordinary ends. Against silence set a limit: "
     "TCP_USER_TIMEOUT for data that nobody acknowledges, keepalive for connections that are idle, "
     "and a deadline of your own for every answer.",
     "把 recv() 返回空、ECONNRESET、EPIPE 都当作正常会发生的结束来处理。对付沉默要设期限："
     "数据无人确认时用 TCP_USER_TIMEOUT，空闲连接用保活 "
     "(keepalive)，每个应答还要有自己的截止时间。"},
    {"vanished.try",
     "rawgate watch echo, then kill -9 a client of your own: the service's word for it is there.\n"
     "rawgate fault can cut or reset live connections where the service allows it.",
     "先运行 rawgate watch echo，再 kill -9 你自己的客户端：能看到服务端怎么说。\n"
     "如果服务允许，rawgate fault 可以切断或重置真实的连接。"},
    {"vanished-process.title", "A client's process dies", "客户端进程死亡"},
    {"vanished-process.see",
     "Two clients of the live echo service are killed by SIGKILL. Their kernel closes their "
     "sockets: "
     "with a FIN, or with a RST where an answer had come that nobody had read.",
     "echo 服务的两个客户端被 SIGKILL 杀死。内核替它们关闭套接字（socket）：通常发 "
     "FIN；如果还有收到而没读的应答，"
     "就发 RST。"},
    {"vanished-process.cure",
     "A service must expect both at any time, and free what it holds for the connection.",
     "服务端必须随时准备好遇到这两种情况，并释放为该连接保留的一切。"},
    {"vanished-process.try", "rawgate lab vanished-service shows the other side.",
     "rawgate lab vanished-service：从另一端看。"},
    {"vanished-service.title", "A service's process dies", "服务端进程死亡"},
    {"vanished-service.see",
     "Now the client is the one who is left. The first send() to a process that is gone succeeds: "
     "it "
     "has only filled a buffer. The RST that comes back makes the next one fail.",
     "这次留下来的是客户端。向已经死掉的进程第一次 send() 会成功，因为数据只是进了缓冲区；"
     "对方内核回来的 RST 才让下一次失败。"},
    {"vanished-service.cure",
     "That send() succeeded says nothing about the peer. Read as well, and take EPIPE and "
     "ECONNRESET "
     "for what they are. Python ignores SIGPIPE; in C use MSG_NOSIGNAL.",
     "send() 成功并不说明对端还在。同时也要读，并正确处理 EPIPE 和 ECONNRESET。"
     "Python 忽略 SIGPIPE；C 语言里用 MSG_NOSIGNAL。"},
    {"vanished-service.try", "rawgate lab vanished-machine shows what happens without a RST.",
     "rawgate lab vanished-machine：看看连 RST 都没有的时候。"},
    {"vanished-machine.title", "A machine vanishes", "整台机器消失"},
    {"vanished-machine.see",
     "The peer's socket is made deaf: its kernel drops whatever comes, before TCP sees it. To the "
     "client that is a cable that was pulled. It sends again and again, and by default would for a "
     "quarter of an hour (tcp_retries2). TCP_USER_TIMEOUT and keepalive make it seconds.",
     "让对端的套接字“失聪”：内核在 TCP 看到之前就丢掉一切来包。在客户端看来就像网线被拔掉。"
     "它会一遍遍重传 (retransmission)，默认要持续大约一刻钟 (tcp_retries2)。"
     "TCP_USER_TIMEOUT 和保活 (keepalive) 能把它缩短到几秒。"},
    {"vanished-machine.cure",
     "Set TCP_USER_TIMEOUT to what your users would wait, and keepalive on connections that may be "
     "idle for long.",
     "把 TCP_USER_TIMEOUT 设成用户愿意等待的时间；可能长时间空闲的连接再打开保活。"},
    {"vanished-machine.try",
     "ss -tnoi shows timers and retransmissions of the connections of this machine.",
     "ss -tnoi：查看本机各连接的定时器和重传次数。"},
    {"vanished-udp.title", "Datagrams to nobody", "发给无人的数据报"},
    {"vanished-udp.see",
     "UDP has no connection that could end. A machine that is there says that nobody has the port "
     "(ICMP), which a connected socket is told as ECONNREFUSED. A machine that is not there says "
     "nothing.",
     "UDP 没有连接，也就无所谓结束。机器还在时，它会用 ICMP 说明这个端口没有人用，已 connect() "
     "的套接字会得到 "
     "ECONNREFUSED；机器不在时，什么也没有。"},
    {"vanished-udp.cure",
     "Give every answer a deadline and ask again, a bounded number of times, ever more slowly.",
     "每个应答都要有截止时间，超时就重发；次数要有限，间隔要逐次加长。"},
    {"vanished-udp.try",
     "rawgate lab udp shows datagrams that get lost although somebody is there.",
     "rawgate lab udp：看看明明有人在、数据报却丢失的情形。"},
    {"scene.process.fin", "Killed when all was read", "所有应答都读完后被杀死"},
    {"scene.process.rst", "Killed with an answer unread", "还有应答没读就被杀死"},
    {"scene.service.fin", "The service's process is killed, and the client goes on sending",
     "服务端进程被杀死，客户端继续发送"},
    {"scene.service.rst", "The service closes with a RST", "服务端用 RST 关闭"},
    {"scene.machine.userTimeout", "Data for nobody, with TCP_USER_TIMEOUT of one second",
     "数据没有人收，TCP_USER_TIMEOUT 为一秒"},
    {"scene.machine.keepAlive", "Nothing to send, with keepalive after 1 s, every 1 s, twice",
     "没有数据要发，保活：空闲 1 秒后开始，每 1 秒一次，共 2 次"},
    {"scene.udp.refused", "A port that nobody has", "没有人用的端口"},
    {"scene.udp.silent", "A machine that does not hear", "听不见的机器"},
    {"process.otherwise", "the service told of another end of these connections than expected.",
     "服务端报告的结束方式与预想不同。"},
    {"service.otherwise", "the calls failed in another way than expected.",
     "系统调用失败的方式与预想不同。"},
    {"machine.otherwise", "the client was not told within ten seconds.",
     "十秒之内客户端没有得到通知。"},
    {"udp.otherwise", "the answers of the kernel were others than expected.",
     "内核的回答与预想不同。"},
    {"process.happened",
     "Of the client that had read everything the service says '{endWhenRead}', of the one with an "
     "unread answer '{endWhenUnread}'. SIGKILL leaves a process no time for a word; its kernel "
     "said "
     "it.",
     "对读完了应答的客户端，服务端的说法是“{endWhenRead}”；对还有应答没读的，是“{endWhenUnread}”。"
     "SIGKILL 不给进程说话的机会，话是内核替它说的。"},
    {"service.happened",
     "recv() returned nothing: the end. The first send() succeeded all the same, the second failed "
     "with {secondSend}. Where the service closed with a RST, recv() itself failed with "
     "{readAfterReset}.",
     "recv() 返回空，表示结束。第一次 send() 仍然成功，第二次才以 {secondSend} 失败。服务端用 RST "
     "关闭时，"
     "recv() 本身就以 {readAfterReset} 失败。"},
    {"machine.happened.silence",
     "send() succeeded. The kernel sent the bytes {segments} times, each time waiting longer, and "
     "gave up after {silence}: {silenceError}.",
     "send() 成功了。内核把这些字节发了 {segments} 次，每次等得更久，{silence} "
     "后放弃：{silenceError}。"},
    {"machine.happened.keepAlive",
     "An idle connection sends nothing and so notices nothing. With keepalive {probes} probes went "
     "unanswered, and {idle} after the start recv() failed: {idleError}.",
     "空闲的连接什么也不发，也就什么都发现不了。打开保活后，{probes} 个探测没有得到回答，"
     "从开始算起 {idle} 时 recv() 失败：{idleError}。"},
    {"udp.happened",
     "send() succeeded both times. The machine that was there made recv() fail with {refusal}; "
     "from "
     "the one that was not, nothing had come after {waited}, and nothing ever will.",
     "两次 send() 都成功。机器在的那次，recv() 以 {refusal} 失败；机器不在的那次，等了 {waited} "
     "什么也没有，而且永远不会有。"},
});

}  // namespace

absl::Span<const Text> VanishedTexts() { return kTexts; }

}  // namespace rawgate::cli::lab
