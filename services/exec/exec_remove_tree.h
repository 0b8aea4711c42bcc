// Removal of a folder that somebody else filled.
#pragma once

#include <functional>
#include <string>

namespace rawgate::exec {

// Removes the folder `path` with all in it, whatever the modes of what is ours, and however deep:
// with two descriptors, and without following a link. Nobody changes it meanwhile. `give_up` is
// asked again and again. The value is an errno; ECANCELED: it was given up, and the rest is still
// there.
int RemoveTree(const std::string& path, const std::function<bool()>& give_up);

}  // namespace rawgate::exec
