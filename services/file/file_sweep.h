// What is done to all folders of the store, one after the other.
#pragma once

#include <cstdint>
#include <stop_token>

#include "services/file/file_root.h"

namespace rawgate::file {

// Removes the hidden files that uploads of a process which ended midway left behind, in all
// folders; those of live processes stay, and so do resumable uploads. Takes as long as it takes to
// read every folder, unless stopped. Returns how many were removed.
size_t RemoveLeftovers(const FileRoot& root, std::stop_token stop, Syscalls& syscalls);

// Bytes of all files that clients can see. Takes as long as it takes to look at each.
uint64_t SizeOfAllFiles(const FileRoot& root, Syscalls& syscalls);

}  // namespace rawgate::file
