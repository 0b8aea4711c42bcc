#include "cli/subject.h"

#include "absl/strings/str_cat.h"

namespace rawgate::cli {

std::string Subject::Name() const {
  return absl::StrCat(service, listener.empty() ? "" : "/", listener);
}

CLI::Option* AddSubjectOption(CLI::App& app, Subject& subject, const std::string& description) {
  const auto parse = [&subject](const std::string& text) {
    const size_t slash = text.find('/');
    subject.service = text.substr(0, slash);
    subject.listener = slash == text.npos ? "" : text.substr(slash + 1);
    if (subject.service.empty() || (slash != text.npos && subject.listener.empty())) {
      throw CLI::ValidationError(absl::StrCat("'", text, "' is no SERVICE or SERVICE/LISTENER"));
    }
  };
  app.add_option("--instance", subject.instance, "Only this replica of it")->type_name("ID");
  return app.add_option_function<std::string>("SERVICE[/LISTENER]", parse, description);
}

}  // namespace rawgate::cli
