#!/bin/sh
# Compiles the targets given, as far as the tree in /src goes. For a stage of the Dockerfile, where folders that belong to
# later stages are there with an empty CMakeLists.txt.
set -eu

log=$(mktemp)
# Not left to ninja, which compares times: what COPY brings is as old as it was outside.
cmake --preset release -DRAWGATE_TESTS=OFF -DRAWGATE_BENCH=OFF -DRAWGATE_INSTALL=OFF -DRAWGATE_CCACHE=OFF >"$log" || { cat "$log"; exit 1; }
rm "$log"
cmake --build --preset release --target "$@"
mkdir -p build/release/bin
find build/release/bin -type f -exec strip {} +
# For the next stage to wait for; always the same, so that it is not compiled again for that.
touch turn
