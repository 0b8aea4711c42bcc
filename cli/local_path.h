// Paths of this machine and names of the far side, as text.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

// The last component of a name: "a/b.txt" is "b.txt". Empty when it ends with '/'.
std::string LastComponent(absl::string_view name);

// What stands before the last component, with its '/': "a/b.txt" is "a/". Empty without a '/'.
std::string FolderPart(absl::string_view name);

// "a//" is "a". A name of nothing but slashes becomes empty.
std::string WithoutTrailingSlashes(absl::string_view name);

// "a" and "b" are "a/b"; an empty `folder`, or one that ends with '/', adds no '/'.
std::string Joined(absl::string_view folder, absl::string_view name);

// What it links to counts.
bool IsFolder(const std::string& path);

}  // namespace rawgate::cli
