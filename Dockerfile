# One image with all of rawgate's programs; docker-compose.yml says which process runs what.
#
# Stages: "runtime" is the image without the programs (the container test adds freshly built ones to it, see
# tests/docker), "builder" compiles them, the last joins both. A stage stands after all that it does not need, since
# Docker's older builder builds whatever stands before the target.

ARG BASE=debian:bookworm-slim

FROM ${BASE} AS runtime
COPY script/bootstrap script/common.sh script/packages /tmp/rawgate/script/
RUN /tmp/rawgate/script/bootstrap runtime \
 && rm -rf /tmp/rawgate /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin rawgate \
 && install -d -o rawgate -g rawgate -m 0750 /var/lib/rawgate /var/lib/rawgate/files /var/lib/rawgate/chat
COPY deploy/docker/exec-policy.textproto /etc/rawgate/
USER rawgate
WORKDIR /var/lib/rawgate
# Where a program that was told nothing keeps its state, as under systemd: there is no home.
ENV STATE_DIRECTORY=/var/lib/rawgate
CMD ["rawgate", "--help"]

FROM ${BASE} AS builder
WORKDIR /src
COPY script/bootstrap script/common.sh script/packages script/
RUN script/bootstrap build
COPY . .
RUN cmake --preset release -DRAWGATE_TESTS=OFF -DRAWGATE_BENCH=OFF \
 && cmake --build --preset release \
 && strip build/release/bin/*

FROM runtime
COPY --from=builder /src/build/release/bin/ /usr/local/bin/
