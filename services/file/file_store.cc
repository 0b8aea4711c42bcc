#include "services/file/file_store.h"

#include "services/file/file_unfinished.h"

namespace rawgate::file {

FileStore::FileStore(FileRoot opened, uint64_t quota, Syscalls& calls)
    : syscalls(calls), root(std::move(opened)), folders(root, calls), usage(quota) {}

FileStore::~FileStore() = default;

}  // namespace rawgate::file
