// What the lesson coalescing says.
#include <array>

#include "cli/lab/lesson_texts.h"

namespace rawgate::cli::lab {
namespace {

constexpr std::array kTexts = std::to_array<Text>({
    {"coalescing.title", "Small messages merged: by the sender, and by the receiver",
     "小消息被合并：发送方的原因与接收方的原因"},
    {"coalescing.see",
     "TCP carries a stream of bytes. Where one send() ends and the next begins is not part of it. "
     "First the sender merges: small sends share a segment (Nagle's algorithm, RFC 896). Then the "
     "receiver does: segments that came one by one are handed out by one read.",
     "TCP 传送的是字节流 (byte stream)，两次 send() "
     "之间的边界并不在流里。先看发送方的合并：几次小的发送"
     "装进同一个报文段 (segment)，这是 Nagle 算法 (Nagle's algorithm, RFC 896) "
     "的作用；再看接收方的合并："
     "分几段到达的数据被一次读取全部取走。"},
    {"coalescing.cure",
     "Never take what one recv() returns for one message. Put the size in front of each message, "
     "and "
     "read until it is whole; then it does not matter who merged what. TCP_NODELAY does not help: "
     "it "
     "keeps the sender from merging, not the receiver.",
     "永远不要把一次 recv() "
     "的返回当成一条消息。在每条消息前写上长度，读够为止，这样谁合并了什么都无所谓。"
     "TCP_NODELAY 治不了这个问题：它只能阻止发送方合并，管不了接收方。"},
    {"coalescing.try",
     "rawgate watch echo --chunks shows every read of the service while your own program runs.\n"
     "rawgate lab framing shows three ways to mark where a message ends.\n"
     "rawgate lab coalescing --repeat 5 shows how much of it is chance.",
     "rawgate watch echo --chunks：一边运行你自己的程序，一边看服务端的每一次读取。\n"
     "rawgate lab framing：看三种标明消息边界的办法。\n"
     "rawgate lab coalescing --repeat 5：看看其中有多少是偶然。"},
    {"coalescing-sender.title", "Small messages merged by the sender", "发送方合并小消息"},
    {"coalescing-sender.see",
     "Ten small sends in a row. While the first is not acknowledged, Nagle's algorithm keeps the "
     "others in the send buffer, and then sends them as one segment. With TCP_NODELAY each leaves "
     "at "
     "once.",
     "连续发送十条小消息。第一条还没有得到确认 (ACK) 时，Nagle 算法把后面的留在发送缓冲区 (send "
     "buffer) 里，"
     "随后合成一个报文段 (segment) 发出。设置 TCP_NODELAY 之后，每次发送都立即离开。"},
    {"coalescing-sender.cure",
     "Write a whole message with one send(), and mark where it ends. Set TCP_NODELAY where an "
     "answer "
     "is waited for; it changes when bytes leave, not where messages end.",
     "一条消息用一次 send() 写完，并标明它在哪里结束。需要等待应答时设置 TCP_NODELAY："
     "它改变的是字节何时离开，而不是消息在哪里结束。"},
    {"coalescing-sender.try",
     "rawgate lab coalescing-receiver is the other half.\n"
     "rawgate lab nagle shows what waiting for the acknowledgement can cost.",
     "rawgate lab coalescing-receiver：另一半原因。\n"
     "rawgate lab nagle：看看等待确认的代价。"},
    {"coalescing-receiver.title", "Messages merged, or cut, by the receiver",
     "接收方合并或切断消息"},
    {"coalescing-receiver.see",
     "Two answers of echo, 'HELLO' and 'WORLD', arrive as two segments. A program that reads at "
     "once "
     "gets them one by one; one that reads late gets both in one read; one whose buffer is too "
     "small "
     "gets them cut anywhere.",
     "echo 的两个应答“HELLO”和“WORLD”分成两个报文段 (segment) "
     "到达。读得及时的程序一次拿到一个；读得晚的"
     "程序一次读到两个；缓冲区太小的程序则会在任意位置被切断。"},
    {"coalescing-receiver.cure",
     "Collect what comes, and take messages out of it by their size. A read returns what is there: "
     "part of a message, one, or several.",
     "把收到的字节先攒起来，再按长度从中取出消息。一次读取返回的只是“目前已到的字节”："
     "可能是半条、一条，也可能是好几条消息。"},
    {"coalescing-receiver.try",
     "rawgate lab coalescing-sender is the other half.\n"
     "rawgate lab framing shows the cure at work, with reads of 3 bytes.",
     "rawgate lab coalescing-sender：另一半原因。\n"
     "rawgate lab framing：看解决办法如何工作，而且每次只读 3 个字节。"},
    {"scene.sender.nagle", "Ten sends of 5 bytes, as a socket does it by default",
     "十次 5 字节的发送，套接字（socket）的默认行为"},
    {"scene.sender.noDelay", "The same with TCP_NODELAY", "同样的发送，设置 TCP_NODELAY"},
    {"scene.receiver.prompt", "Read at once: recv(1024) for each answer",
     "及时读取：每个应答都立即 recv(1024)"},
    {"scene.receiver.late", "Read late: recv(1024) once both answers are there",
     "读得晚：两个应答都到了才 recv(1024)"},
    {"scene.receiver.small", "A buffer that is too small: recv(4)", "缓冲区太小：recv(4)"},
    {"sender.tooSlow",
     "each send was acknowledged before the next one, so that Nagle's algorithm had nothing to "
     "wait "
     "for.",
     "每次发送都在下一次之前得到了确认，Nagle 算法没有什么可等的。"},
    {"sender.merged",
     "even with TCP_NODELAY fewer segments left than there were sends: the kernel had to wait for "
     "its queue (autocorking).",
     "即使设置了 TCP_NODELAY，报文段仍少于发送次数：内核在等待它的发送队列 (autocorking)。"},
    {"receiver.oneSegment",
     "the two answers did not come as two segments, or were read otherwise than meant.",
     "两个应答没有分成两段到达，或者读取的次数与预想不同。"},
    {"sender.happened.nagle",
     "By default {sends} sends became {nagleSegments} segments: what was sent while the first was "
     "not acknowledged waited, and left together. The service needed {nagleReads} reads for the "
     "{bytes} bytes.",
     "默认情况下，{sends} 次发送变成了 {nagleSegments} "
     "个报文段：第一段得到确认之前写入的数据都在等待，"
     "然后一起离开。服务端读了 {nagleReads} 次，取完 {bytes} 个字节。"},
    {"sender.happened.noDelay",
     "With TCP_NODELAY they became {noDelaySegments} segments, and {noDelayReads} reads: this time "
     "the service was as quick as the sender. Nothing promises that.",
     "设置 TCP_NODELAY 后是 {noDelaySegments} 个报文段、{noDelayReads} "
     "次读取：这一次服务端读得和发送一样快，"
     "但没有任何东西保证下次也如此。"},
    {"sender.happened.noDelayMerged",
     "With TCP_NODELAY they became {noDelaySegments} segments, one for each send. The service all "
     "the "
     "same read them with {noDelayReads} recv(): now the receiver merged them, since several "
     "segments were there when it looked.",
     "设置 TCP_NODELAY 后是 {noDelaySegments} 个报文段，每次发送一个。可是服务端只用了 "
     "{noDelayReads} 次 "
     "recv() 就读完了：这回是接收方合并的，因为它去读的时候已经到了好几段。"},
    {"receiver.happened.late",
     "The answers came as {lateSegments} segments, and the late reader got both with {lateReads} "
     "recv(). Nothing in 'HELLOWORLD' tells that there were two.",
     "应答分 {lateSegments} 段到达，而读得晚的程序用 {lateReads} 次 recv() 就全部取走。"
     "“HELLOWORLD”里没有任何东西表明原来是两条。"},
    {"receiver.happened.small",
     "With recv(4) the same {smallSegments} segments took {smallReads} reads, and one of them has "
     "the "
     "end of one message and the beginning of the next.",
     "用 recv(4) 时，同样的 {smallSegments} 段需要 {smallReads} "
     "次读取，其中一次既有上一条消息的结尾，"
     "又有下一条的开头。"},
    {"receiver.happened.prompt",
     "Reading at once took {promptReads} reads for two messages, which looks right, and is luck: "
     "the "
     "sender waited for each answer.",
     "及时读取时两条消息用了 {promptReads} "
     "次，看上去没问题，其实是运气：发送方每次都等到了应答才发下一条。"},
});

}  // namespace

absl::Span<const Text> CoalescingTexts() { return kTexts; }

}  // namespace rawgate::cli::lab
