// What the lesson udp says.
#include <array>

#include "cli/lab/lesson_texts.h"

namespace rawgate::cli::lab {
namespace {

constexpr std::array kTexts = std::to_array<Text>({
    {"udp.title", "UDP: lost, and out of order", "UDP：丢失与乱序"},
    {"udp.see",
     "Datagrams keep their borders, and that is all they keep. First a receive buffer that nobody "
     "empties in time: real loss, made by this machine's own kernel. Then, where the gateway lets "
     "you "
     "set faults (admin role, services started with --allow_faults), the live time service is told "
     "to lose and to mix up what comes, which a network does and loopback does not.",
     "数据报 (datagram) 保住了消息边界，但也仅此而已。先看一个来不及清空的接收缓冲区 (receive "
     "buffer)："
     "这是本机内核造成的真实丢失。然后，如果网关允许设置故障（需要 admin 角色，且服务以 "
     "--allow_faults 启动），"
     "就让真实的 time 服务丢弃并打乱来包：真实的网络会这样，环回接口 (loopback) 则不会。"},
    {"udp.cure",
     "Number what you send. The receiver then sees what is missing and what is late; the sender "
     "asks "
     "again for what was not answered, a bounded number of times.",
     "给每个数据报编号。接收方由此看出缺了哪些、哪些迟到；发送方对没有应答的重发，次数要有限。"},
    {"udp.try",
     "rawgate fault --help shows how to set faults by hand, from a seed that makes them "
     "repeatable.\n"
     "ss -unm shows receive buffers, and d=N what was dropped.",
     "rawgate fault --help：手动设置故障，用种子 (seed) 可以重现。\n"
     "ss -unm：查看接收缓冲区，其中 d=N 是丢弃的个数。"},
    {"scene.buffer", "A receive buffer of this process's own that nobody empties in time",
     "本进程自己的接收缓冲区，没有人及时清空"},
    {"scene.faults", "The live time service, told to lose and to reorder",
     "真实的 time 服务，被要求丢包和乱序"},
    {"nothingLost", "every datagram arrived.", "所有数据报都到了。"},
    {"nothingOvertaken", "some were lost, but none overtook another.", "有丢失，但没有乱序。"},
    {"happened.buffer",
     "All {sent} sends succeeded. {bufferArrived} datagrams found room in the receive buffer, "
     "{bufferLost} did not: dropped, and nobody was told. This was real loss, without any fault "
     "set.",
     "{sent} 次发送全部成功。{bufferArrived} 个数据报在接收缓冲区里找到了位置，{bufferLost} "
     "个没有："
     "被丢弃了，而且没有通知任何人。这是真实的丢失，没有设置任何故障。"},
    {"happened.faults",
     "With faults on purpose (seed {seed}) {faultsLost} of {sent} datagrams were lost on their way "
     "to "
     "the live service, and {faultsOvertaken} came behind one that was sent later. The faults are "
     "taken away again.",
     "在人为故障之下（种子 {seed}），{sent} 个数据报里有 {faultsLost} 个在去往真实服务的路上丢失，"
     "{faultsOvertaken} 个落在了后发者的后面。故障已经撤销。"},
    {"happened.noFaults",
     "Reordering, and loss on the way to a live service, were not shown, since faults could not be "
     "set: {faultsRefused}.",
     "乱序以及去往真实服务途中的丢失没有演示，因为无法设置故障：{faultsRefused}。"},
});

}  // namespace

absl::Span<const Text> DatagramsTexts() { return kTexts; }

}  // namespace rawgate::cli::lab
