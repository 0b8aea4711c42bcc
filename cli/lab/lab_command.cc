// rawgate lab.
#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "boost/json.hpp"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/lab/common_text.h"
#include "cli/lab/lesson.h"
#include "cli/lab/page.h"
#include "cli/lab/recording_json.h"
#include "cli/lab/stage.h"
#include "cli/lab/svg_drawing.h"
#include "cli/output_format.h"
#include "cli/suggestion.h"
#include "cli/target_file.h"
#include "cli/text_table.h"
#include "cli/wrapped_text.h"

namespace rawgate::cli {
namespace {

using lab::Lesson;
using lab::Take;

// Columns of what goes to a file or a pipe.
constexpr int kWithoutTerminal = 80;

// It ran, and did not show what it should.
constexpr int kExitNotShown = 3;

struct LabOptions {
  std::string lesson;
  std::string language;
  std::string svg;
  std::vector<std::string> addresses;
  int repeat = 0;
  bool ascii = false;
  OutputFormat format = OutputFormat::kText;

  lab::Language Language() const {
    if (language.empty()) return lab::LanguageOfEnvironment();
    return language == "zh" ? lab::Language::kChinese : lab::Language::kEnglish;
  }
};

lab::DrawingOptions DrawingOf(const LabOptions& options, const Lesson& lesson,
                              const Console& console) {
  // Beyond that the eye loses the row.
  constexpr int kMostColumns = 160;
  const int columns = console.Columns() == 0 ? kWithoutTerminal : console.Columns();
  return {.columns = std::clamp(columns, 60, kMostColumns),
          .unicode = !options.ascii && lab::EnvironmentIsUtf8(),
          .colored = console.OutputIsColored(),
          .language = options.Language(),
          .texts = lesson.texts};
}

absl::StatusOr<int> List(const LabOptions& options, Context& context) {
  const lab::Language language = options.Language();
  std::string text;
  if (options.format == OutputFormat::kJson) {
    boost::json::array lessons;
    for (const Lesson& lesson : lab::Lessons()) {
      lessons.push_back({{"id", std::string(lesson.id)},
                         {"title", std::string(OwnText(lesson, "title", language))},
                         {"isPart", lesson.is_part}});
    }
    text = absl::StrCat(boost::json::serialize(boost::json::object{{"lessons", lessons}}), "\n");
  } else if (options.format == OutputFormat::kPlain) {
    TextTable table({{}, {}, {}});
    for (const Lesson& lesson : lab::Lessons()) {
      table.AddRow({std::string(lesson.id), std::string(OwnText(lesson, "title", language)),
                    lesson.is_part ? "part" : "lesson"});
    }
    text = table.PlainText();
  } else {
    TextTable table({{.heading = std::string(lab::Word("list.lesson", language))},
                     {.heading = std::string(lab::Word("list.title", language))}});
    for (const Lesson& lesson : lab::Lessons()) {
      table.AddRow({absl::StrCat(lesson.is_part ? "  " : "", lesson.id),
                    std::string(OwnText(lesson, "title", language))});
    }
    const int columns = context.console.Columns();
    const auto rows = WrappedText(lab::Word("list", language),
                                  columns == 0 ? kWithoutTerminal : std::max(12, columns));
    text = absl::StrCat(table.Text(), "\n", absl::StrJoin(rows, "\n"), "\n");
  }
  const absl::Status written = context.console.Out(text);
  if (!written.ok()) return written;
  return 0;
}

void Append(Take& all, Take take) {
  const auto move = [](auto& from, auto& to) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
  };
  move(take.scenes, all.scenes);
  move(take.facts, all.facts);
  move(take.happened, all.happened);
  if (all.shown && !take.shown) all.why_not = take.why_not;
  all.shown = all.shown && take.shown;
}

// On standard error, where it is no part of the page.
void Announce(const std::string& line, const Console& console) {
  const int columns = console.ErrorColumns();
  const auto rows = WrappedText(line, columns == 0 ? kWithoutTerminal : std::max(12, columns));
  console.Error(absl::StrCat(absl::StrJoin(rows, "\n"), "\n"));
}

// One run of all of the lesson's experiments. `attempts`: how often each may be tried, and then how
// often the one that took most was.
absl::StatusOr<Take> RunOnce(const Lesson& lesson, lab::Stage& stage, const LabOptions& options,
                             const Console& console, int& attempts) {
  const int most = attempts;
  attempts = 1;
  Take all;
  all.shown = true;
  for (const lab::Experiment experiment : lesson.experiments) {
    int attempt = 1;
    auto take = experiment(stage);
    while (take.ok() && !take->shown && attempt < most) {
      Announce(NotShownLine(lesson, *take, attempt, most, options.Language()), console);
      ++attempt;
      take = experiment(stage);
    }
    // Of several the others are worth having.
    if (absl::IsPermissionDenied(take.status()) && lesson.experiments.size() > 1) {
      const lab::Facts facts = {{"reason", std::string(take.status().message())}};
      Announce(lab::Fill(lab::Word("leftOut", options.Language()), facts), console);
      continue;
    }
    if (!take.ok()) return take.status();
    attempts = std::max(attempts, attempt);
    Append(all, *std::move(take));
  }
  return all;
}

absl::Status WriteFile(const std::string& path, absl::string_view content) {
  auto file = TargetFile::Create(path);
  if (!file.ok()) return file.status();
  if (absl::Status written = file->Write(content); !written.ok()) return written;
  return file->Commit();
}

absl::Status Present(const Lesson& lesson, const Take& take, int attempts,
                     const LabOptions& options, const Console& console) {
  if (!options.svg.empty()) {
    const std::string title(OwnText(lesson, "title", options.Language()));
    const absl::Status written =
        WriteFile(options.svg, DrawSvg(take, title, options.Language(), lesson.texts));
    if (!written.ok()) return written;
  }
  return console.Out(options.format == OutputFormat::kJson
                         ? lab::RecordingJson(lesson.id, take, attempts)
                         : PageAfter(lesson, take, attempts, DrawingOf(options, lesson, console)));
}

std::map<std::string, std::string> AddressesOf(const LabOptions& options) {
  std::map<std::string, std::string> addresses;
  for (const std::string& word : options.addresses) {
    const size_t end = word.find('=');
    addresses[word.substr(0, end)] = word.substr(end + 1);
  }
  return addresses;
}

absl::StatusOr<int> RunLesson(const Lesson& lesson, const LabOptions& options, Context& context) {
  const Console& console = context.console;
  // The setting "output" may say plain, which is for the list.
  const bool for_people = options.format != OutputFormat::kJson;
  lab::Stage stage(context, AddressesOf(options));
  if (for_people) {
    const absl::Status written =
        console.Out(PageBefore(lesson, DrawingOf(options, lesson, console)));
    if (!written.ok()) return written;
  }
  const int runs = std::max(1, options.repeat);
  int shown = 0;
  for (int run = 1; run <= runs; ++run) {
    // Repeated runs are counted as they come.
    int attempts = options.repeat > 0 ? 1 : lab::kAttempts;
    const auto take = RunOnce(lesson, stage, options, console, attempts);
    if (!take.ok()) return take.status();
    shown += take->shown ? 1 : 0;
    if (!for_people || run == runs) {
      const absl::Status presented = Present(lesson, *take, attempts, options, console);
      if (!presented.ok()) return presented;
    }
  }
  if (for_people && options.repeat > 0) {
    const lab::Facts facts = {{"shown", int64_t{shown}}, {"runs", int64_t{runs}}};
    const absl::Status written = console.Out(
        absl::StrCat("\n", lab::Fill(lab::Word("repeated", options.Language()), facts), "\n"));
    if (!written.ok()) return written;
  }
  return shown > 0 ? 0 : kExitNotShown;
}

std::string CheckLesson(const std::string& id) {
  if (lab::FindLesson(id) != nullptr) return "";
  std::vector<std::string> ids;
  for (const Lesson& lesson : lab::Lessons()) ids.emplace_back(lesson.id);
  return absl::StrCat("there is no lesson '", Printable(id), "'; 'rawgate lab' lists them.",
                      DidYouMean(id, ids));
}

// As validators list what they allow, which completion offers.
std::string Choices() {
  const auto id_of = [](std::string* text, const Lesson& lesson) {
    absl::StrAppend(text, lesson.id);
  };
  return absl::StrCat("{", absl::StrJoin(lab::Lessons(), ",", id_of), "}");
}

std::string CheckAddress(const std::string& word) {
  const size_t slash = word.find('/');
  const size_t end = word.find('=');
  if (slash != word.npos && end != word.npos && slash < end && end + 1 < word.size()) return "";
  return absl::StrCat("'", word, "' is not SERVICE/LISTENER=HOST:PORT");
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate lab                     which lessons there are
  rawgate lab coalescing          both causes of merged messages, drawn from
                                  this very run
  rawgate lab nagle --lang zh     the 40 milliseconds, in Chinese
  rawgate lab vanished --svg vanished.svg
                                  the drawing as a picture for slides, too
  rawgate lab coalescing --json | jq .facts
  rawgate lab coalescing --address echo/tcp=127.0.0.1:18080
                                  where the service is reached by another
                                  address than it says, as in a container

A lesson talks to the live services with raw sockets of this process, watches
what they tell of it (role viewer), and draws both sides. What takes a peer
that dies or does not accept is done with sockets of this process's own; the
drawing says so. Faults of a live listener are set by the lesson udp alone,
where that is allowed, and taken away again.
With --json one object is printed, described in docs/lessons/README.md.
Exit codes: 0 shown, 1 could not run, 2 wrong usage, 3 it ran and did not show
what it should, eight times in a row.)";

}  // namespace

void AddLabCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<LabOptions>();
  CLI::App* command = app.add_subcommand("lab", "Learn what sockets do, by experiments");
  command->group(kServicesGroup)->footer(kExamples);
  command->add_option("LESSON", options->lesson, "Which; without one all are listed")
      ->check(CLI::Validator(CheckLesson, Choices()));
  command->add_option("--lang", options->language, "en or zh; else what the locale says")
      ->type_name("LANG")
      ->check(CLI::IsMember({"en", "zh"}));
  command->add_option("--svg", options->svg, "Also draw it into this file, for slides")
      ->type_name(kLocalFile);
  command->add_option("--repeat", options->repeat, "Run it N times; tell in how many it showed")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  command
      ->add_option("--address", options->addresses,
                   "Reach a listener there: SERVICE/LISTENER=HOST:PORT")
      ->type_name("WHERE")
      ->allow_extra_args(false)
      ->check(CheckAddress);
  command->add_flag("--ascii", options->ascii, "Draw with ASCII alone");
  AddOutputFormat(*command, options->format, "the list or the recorded run");
  command->callback([&chosen, options, command] {
    const Lesson* lesson = lab::FindLesson(options->lesson);
    if (lesson != nullptr && command->get_option("--plain")->count() > 0) {
      throw CLI::ValidationError("--plain", "is for the list; a run has --json");
    }
    chosen.needs_gateway = lesson != nullptr;
    chosen.run = [options, lesson](Context& context) {
      return lesson == nullptr ? List(*options, context) : RunLesson(*lesson, *options, context);
    };
  });
}

}  // namespace rawgate::cli
