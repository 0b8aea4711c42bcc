#include "services/exec/launcher/execute.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "services/exec/launcher/system_call.h"

namespace rawgate::exec {
namespace {

// Value of PATH, or the usual folders.
const char* SearchPath(char** environment) {
  for (char** entry = environment; *entry != nullptr; ++entry) {
    const char* text = *entry;
    if (text[0] == 'P' && text[1] == 'A' && text[2] == 'T' && text[3] == 'H' && text[4] == '=')
      return text + 5;
  }
  return "/usr/local/bin:/usr/bin:/bin";
}

bool HasSlash(const char* text) {
  while (*text != '\0' && *text != '/') ++text;
  return *text == '/';
}

// Writes "folder/name"; false when it does not fit, or when the folder is relative or empty: it
// would make the working folder's files into commands. Advances `path` past the folder and its
// colon.
bool NextCandidate(const char*& path, const char* name, char (&candidate)[PATH_MAX]) {
  size_t size = 0;
  bool fits = *path == '/';
  const auto put = [&](char c) {
    if (size < PATH_MAX) {
      candidate[size++] = c;
    } else {
      fits = false;
    }
  };
  for (; *path != '\0' && *path != ':'; ++path) put(*path);
  if (*path == ':') ++path;
  put('/');
  for (; *name != '\0'; ++name) put(*name);
  put('\0');
  return fits;
}

}  // namespace

long Execute(char** argv, char** environment) {
  if (HasSlash(argv[0]))
    return SystemCall(SYS_execve, Address(argv[0]), Address(argv), Address(environment));
  long result = -ENOENT;
  for (const char* path = SearchPath(environment); *path != '\0';) {
    char candidate[PATH_MAX];
    if (!NextCandidate(path, argv[0], candidate)) continue;
    const long error =
        SystemCall(SYS_execve, Address(candidate), Address(argv), Address(environment));
    // In a folder that may not be entered nothing can be said to exist.
    if (error == -EACCES && SystemCall(SYS_faccessat, AT_FDCWD, Address(candidate), 0) == 0)
      result = error;
    if (error != -EACCES && error != -ENOENT && error != -ENOTDIR) return error;
  }
  return result;
}

}  // namespace rawgate::exec
