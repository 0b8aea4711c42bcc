// What the lesson back-pressure says.
#include <array>

#include "cli/lab/lesson_texts.h"

namespace rawgate::cli::lab {
namespace {

constexpr std::array kTexts = std::to_array<Text>({
    {"back-pressure.title", "A full send buffer: when nobody reads",
     "发送缓冲区满：没有人读的时候"},
    {"back-pressure.see",
     "The client sends to echo and does not read the answers. These fill the client's receive "
     "buffer, then the service's send buffer; the service stops reading; its receive buffer fills, "
     "then the client's send buffer; and send() has no room any more (EAGAIN; without O_NONBLOCK "
     "it "
     "would wait). Nobody has lost a byte: that is back-pressure.",
     "客户端不停地向 echo 发送，却不读应答。应答先填满客户端的接收缓冲区 (receive "
     "buffer)，再填满服务端的"
     "发送缓冲区 (send "
     "buffer)；于是服务端停止读取，它的接收缓冲区满，最后客户端的发送缓冲区也满，send() "
     "再也放不下（返回 EAGAIN；没有 O_NONBLOCK 时就会阻塞）。一个字节也没有丢：这就是反压 "
     "(back-pressure)。"},
    {"back-pressure.cure",
     "Read while you write: with two threads, with asyncio, or with poll() for both. Never send "
     "all "
     "of something long before the first read of its answer.",
     "边写边读：用两个线程，或 asyncio，或用 poll() 同时等待读和写。绝不要先把很长的内容全部发完，"
     "才去读第一个应答。"},
    {"back-pressure.try",
     "rawgate connections echo shows received and sent of such a connection stand still.\n"
     "ss -tnm shows the buffers of this machine's connections.",
     "rawgate connections echo：可以看到这样的连接收发字节数停住不动。\n"
     "ss -tnm：查看本机各连接的缓冲区。"},
    {"scene.full", "Sending without reading, then reading everything", "只发不读，然后全部读完"},
    {"scene.places", "Where the bytes were when send() had no room any more",
     "send() 放不下的那一刻，字节都在哪里"},
    {"bar.ownSend", "client's send buffer", "客户端发送缓冲区"},
    {"bar.farReceive", "service's receive buffer", "服务端接收缓冲区"},
    {"bar.farSend", "service: read, answer not sent", "服务端：已读，应答未发出"},
    {"bar.ownReceive", "client's receive buffer", "客户端接收缓冲区"},
    {"neverFull", "everything that was sent found room.", "发送的数据全都放得下。"},
    {"happened",
     "send() took {sent} bytes, and had no room for more within {full}. Of these the service had "
     "read "
     "{read}. {ownSend} were in the client's send buffer (SIOCOUTQ), {farReceive} acknowledged and "
     "not "
     "read, {farSend} read whose answers were still at the service, and {ownReceive} answered into "
     "the client's receive buffer (SIOCINQ). SO_SNDBUF was {sendBuffer} and SO_RCVBUF "
     "{receiveBuffer} by then: kernels let both grow.",
     "send() 共收下 {sent} 字节，此后 {full} 之内再也放不下。其中服务端读走了 {read}。"
     "{ownSend} 字节在客户端发送缓冲区里 (SIOCOUTQ)，{farReceive} 字节已确认而未被读取，{farSend} "
     "字节已读、"
     "应答还在服务端，{ownReceive} 字节的应答在客户端接收缓冲区里 (SIOCINQ)。此时 SO_SNDBUF 为 "
     "{sendBuffer}，"
     "SO_RCVBUF 为 {receiveBuffer}：内核会让它们自动增长。"},
    {"happened.after",
     "As soon as the client read, the service read again, and all {sent} bytes came back. Then "
     "there "
     "was room for more.",
     "客户端一开始读，服务端就接着读，{sent} 个字节全部回来了，随后又可以发送。"},
});

}  // namespace

absl::Span<const Text> BackPressureTexts() { return kTexts; }

}  // namespace rawgate::cli::lab
