#include "cli/lab/common_text.h"

#include <array>

namespace rawgate::cli::lab {
namespace {

constexpr std::array kTexts = std::to_array<Text>({
    {"client", "client", "客户端"},
    {"service", "service", "服务端"},
    {"own", "in this process", "在本进程内"},
    {"segments", "segments", "段"},
    {"datagrams", "datagrams", "个数据报"},
    {"message", "message", "消息"},
    {"size", "size", "长度"},
    {"header", "header", "JSON 头"},
    {"line", "line", "一行"},
    {"answer", "answer", "应答"},
    {"probe", "keepalive", "保活探测"},
    {"connected", "connected", "已连接"},
    {"peer closed", "peer closed", "对端关闭"},
    {"reset", "reset", "被重置"},
    {"killed", "killed (SIGKILL)", "被杀死 (SIGKILL)"},
    {"is deaf", "is deaf", "收不到任何包"},
    {"no answer", "no answer", "没有回音"},
    {"heading.see", "What you will see", "你会看到什么"},
    {"heading.run", "The run", "本次运行"},
    {"heading.happened", "What happened", "发生了什么"},
    {"heading.cure", "What to do about it", "怎么办"},
    {"heading.try", "Try it", "动手试试"},
    {"legend",
     "Left and right of the lines are system calls, with what they moved in bytes; between the "
     "lines is what was on the wire: segments as the kernel counted them, the rest as the calls "
     "showed it. Times are milliseconds.",
     "两条竖线外侧是系统调用 (system call) "
     "及其字节数；两线之间是线路上的东西：报文段由内核统计，其余由系统调用的结果得知。"
     "时间单位是毫秒。"},
    {"shifted",
     "The service's clock is not this machine's: its times were moved by {shift}, the least by "
     "which nothing is received before it is sent.",
     "服务端的时钟与本机不同：它报告的时间被平移了 "
     "{shift}，这是让“先发送、后收到”成立所需的最小平移量。"},
    {"again", "Run {attempt} of {attempts} did not show it: {reason} Once more.",
     "第 {attempt} 次运行（最多 {attempts} 次）没有出现预期的现象：{reason}再来一次。"},
    {"notShown",
     "It did not show in {attempts} runs: {reason} What is drawn above is what really happened in "
     "the last one.",
     "运行了 {attempts} 次都没有出现预期的现象：{reason}上面画的是最后一次运行的真实情况。"},
    {"leftOut", "Left out: {reason}.", "有一部分没有做：{reason}。"},
    {"repeated", "It showed in {shown} of {runs} runs.",
     "{runs} 次运行中有 {shown} 次出现了这个现象。"},
    {"list.lesson", "LESSON", "课程"},
    {"list.title", "TITLE", "标题"},
    {"list",
     "'rawgate lab LESSON' runs one against the live services, draws what happened in that very "
     "run, "
     "and explains it.",
     "“rawgate lab 课程”在真实运行的服务上做一遍实验，画出这一次运行的经过，再加以解释。"},
});

}  // namespace

absl::Span<const Text> CommonTexts() { return kTexts; }

absl::string_view Word(absl::string_view key, Language language) {
  const absl::string_view found = Find(kTexts, key, language);
  return found.empty() ? key : found;
}

}  // namespace rawgate::cli::lab
