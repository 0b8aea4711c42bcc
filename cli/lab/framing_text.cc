// What the lesson framing says.
#include <array>

#include "cli/lab/lesson_texts.h"

namespace rawgate::cli::lab {
namespace {

constexpr std::array kTexts = std::to_array<Text>({
    {"framing.title", "Three ways to mark where a message ends", "标明消息边界的三种办法"},
    {"framing.see",
     "The same two commands go to exec three times, and come back behind a length, behind a JSON "
     "header, and as lines. Reads are made small on purpose, so that they never fit a message. "
     "What "
     "a reader takes out of the stream is all the same exactly what the writer put in.",
     "同样的两条命令发给 exec 三次，应答分别带长度前缀 (length prefix)、JSON 头 (JSON header)、"
     "以及以换行分隔 (delimiter)。读取的缓冲区故意设得很小，从来不会正好是一条消息；"
     "尽管如此，读的一方取出来的仍然与写的一方放进去的完全一致。"},
    {"framing.cure",
     "Choose one and use it for everything: a length where payload is binary, a header where more "
     "than the length has to be told, a delimiter where people type and no payload has it.",
     "选一种并始终使用：内容是二进制时用长度前缀；除长度之外还要传别的信息时用 JSON 头；"
     "由人输入、且内容里不会出现分隔符时用分隔符。"},
    {"framing.try",
     "printf 'echo one\\necho two\\n' | nc -N 127.0.0.1 8083 | xxd shows the lengths in the "
     "bytes.\n"
     "rawgate lab coalescing shows what happens without.",
     "printf 'echo one\\necho two\\n' | nc -N 127.0.0.1 8083 | xxd：在字节里看到长度。\n"
     "rawgate lab coalescing：看看没有边界会怎样。"},
    {"framing-length.title", "Framing by a length in front", "用长度前缀划分消息"},
    {"framing-length.see",
     "exec answers two commands, first bare (port 8082), then behind a 4-byte length (8083). The "
     "bare "
     "answers are one heap of bytes to a late reader. With lengths even a reader of 3 bytes at a "
     "time "
     "finds both.",
     "exec 应答两条命令：先是不加修饰的 (8082 端口)，再是带 4 字节长度前缀 (length prefix) 的 "
     "(8083 端口)。"
     "对读得晚的程序来说，前者只是一堆字节；有了长度，哪怕每次只读 3 个字节也能找出两条消息。"},
    {"framing-length.cure",
     "Read exactly 4 bytes, then exactly as many as they say. Check the size before you believe "
     "it.",
     "先读满 4 个字节，再读满它所说的字节数。使用长度之前先检查它是否合理。"},
    {"framing-length.try", "rawgate lab framing-json and framing-delimiter are the other two.",
     "rawgate lab framing-json 和 framing-delimiter 是另外两种办法。"},
    {"framing-json.title", "Framing by a JSON header", "用 JSON 头划分消息"},
    {"framing-json.see",
     "exec's port 8084 puts a JSON object in front of each answer, and the object's length in "
     "front "
     "of that. The object tells how long the answer is, and also its digest and exit code.",
     "exec 的 8084 端口在每个应答前放一个 JSON 对象 (JSON header)，再在对象前放上它的长度。"
     "对象里写着应答有多长，还有摘要 (digest) 和退出码。"},
    {"framing-json.cure",
     "Length, header, body: three reads of a known size each. New members can be added to the "
     "header "
     "without breaking old readers, which ignore what they do not know.",
     "长度、头、正文：三次读取，每次读多少都是已知的。以后可以往头里加新的字段而不影响旧程序，"
     "因为旧程序会忽略不认识的字段。"},
    {"framing-json.try", "rawgate lab framing-length and framing-delimiter are the other two.",
     "rawgate lab framing-length 和 framing-delimiter 是另外两种办法。"},
    {"framing-delimiter.title", "Framing by a delimiter", "用分隔符划分消息"},
    {"framing-delimiter.see",
     "Two commands in two sends that the sender merges (on purpose, with TCP_CORK, as Nagle's "
     "algorithm does by chance). Without a newline exec runs one command that nobody wrote; with "
     "one, "
     "it runs both.",
     "两条命令分两次发送，被发送方合并（这里用 TCP_CORK 故意合并，Nagle 算法则是碰巧合并）。"
     "没有换行时，exec 执行了一条谁也没写过的命令；有了换行 (delimiter)，两条都正确执行。"},
    {"framing-delimiter.cure",
     "End each message with a byte that no message contains, and collect until it comes. Bound the "
     "length: a sender that never ends a line must not fill your memory.",
     "每条消息以一个内容里绝不出现的字节结尾，一直收到它为止。还要限制长度：发送方一直不换行也不能"
     "撑爆内存。"},
    {"framing-delimiter.try", "rawgate lab framing-length and framing-json are the other two.",
     "rawgate lab framing-length 和 framing-json 是另外两种办法。"},
    {"scene.length.bare", "Port 8082, nothing in front: one late read",
     "8082 端口，没有任何前缀：晚读一次"},
    {"scene.length.sized", "Port 8083, a length in front: reads of at most 3 bytes",
     "8083 端口，带长度前缀：每次最多读 3 字节"},
    {"scene.json.header", "Port 8084, a JSON header in front: reads of at most 64 bytes",
     "8084 端口，带 JSON 头：每次最多读 64 字节"},
    {"scene.delimiter.without", "Port 8082, two commands without newlines, merged",
     "8082 端口，两条没有换行的命令，被合并"},
    {"scene.delimiter.with", "The same, each with its newline: reads of at most 3 bytes",
     "同样的命令，各带换行：每次最多读 3 字节"},
    {"delimiter.notMerged",
     "the two commands did not arrive in one read, so that they were run one by one.",
     "两条命令没有被一次读到，因此分别执行了。"},
    {"length.happened",
     "Bare, {bareReads} read brought both answers, and where one ends cannot be known. Behind "
     "lengths "
     "they were put together from {sizedReads} reads of at most 3 bytes, each exactly.",
     "不加前缀时，{bareReads} 次读取拿到了两个应答，却无从知道第一个在哪里结束。带长度前缀时，"
     "从 {sizedReads} 次、每次最多 3 字节的读取里，两条消息都准确地拼了出来。"},
    {"json.happened",
     "{headerReads} reads brought two headers of about {headerBytes} bytes and two bodies of "
     "{bodyBytes}. None of the reads was as long as a header or a body; the lengths told where "
     "each "
     "ends.",
     "{headerReads} 次读取带来两个约 {headerBytes} 字节的头和两个 {bodyBytes} "
     "字节的正文。读取的边界与它们"
     "毫不相干，每一部分在哪里结束全由长度说明。"},
    {"delimiter.happened",
     "Without newlines 'echo one' and 'echo two' became one command, which answered "
     "'{wrongAnswer}'. "
     "With newlines they were merged just the same, and answered 'one' and 'two'.",
     "没有换行时，“echo one”和“echo "
     "two”变成了一条命令，应答是“{wrongAnswer}”。有换行时它们同样被合并，"
     "应答却是正确的“one”和“two”。"},
});

}  // namespace

absl::Span<const Text> FramingTexts() { return kTexts; }

}  // namespace rawgate::cli::lab
