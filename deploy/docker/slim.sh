#!/bin/sh
# Removes from the root file system what dpkg-slim.cfg keeps out from now on, and caches that are made again when somebody
# needs them. dpkg and apt go on working: `apt-get update` brings the lists back.
set -eu

# No file system is checked in a container.
dpkg --purge --force-remove-protected e2fsprogs logsave libext2fs2 libss2
find /usr/share/doc -mindepth 2 -depth \( -type f -o -type l \) ! -name copyright -delete
find /usr/share/doc -depth -type d -empty -delete
find /usr/share/locale -mindepth 1 -maxdepth 1 ! -name locale.alias -exec rm -rf {} +
for folder in /usr/share/bash-completion /usr/share/groff /usr/share/info /usr/share/lintian /usr/share/man \
  /var/cache/apt /var/cache/debconf /var/cache/man /var/lib/apt/lists /var/log; do
  [ ! -d "$folder" ] || find "$folder" -mindepth 1 -delete
done
# Libraries and tables that come along in packages of others and that nothing here loads: gRPC's variants, plugins of protoc,
# the encodings of mainframes. A derived image that wants one: `apt-get install --reinstall` of its package.
for folder in /usr/lib/*-linux-gnu*; do
  rm -f "$folder"/libgrpc_unsecure.* "$folder"/libgrpc++_unsecure.* "$folder"/libgrpc++_alts.* \
    "$folder"/libgrpc++_error_details.* "$folder"/libgrpc++_reflection.* "$folder"/libgrpc_plugin_support.* \
    "$folder"/libprotoc.* "$folder"/gconv/EBCDIC* "$folder"/gconv/IBM*
done
# Nobody becomes another user in a container; commands of exec would otherwise have these to try.
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
# apt wants these two.
mkdir -p /var/cache/apt/archives/partial /var/lib/apt/lists/partial
rm -f /etc/*- /var/cache/ldconfig/aux-cache /var/lib/dpkg/*-old
