# One image with all of rawgate's programs; docker-compose.yml says which process runs what.
#
#   docker build --target image .     the image; without --target as well, but Docker's older builder, which builds whatever
#                                     stands before the target, then runs the tests first
#   docker build --target test .      fails when one of the black-box tests fails in it
#
# What a stage takes from the context is what it is built again for. BASE is another name for the same Debian.

ARG BASE=debian:bookworm-slim

# rootfs: Debian with the libraries that the programs load.
FROM ${BASE} AS rootfs
COPY deploy/docker/dpkg-slim.cfg /etc/dpkg/dpkg.cfg.d/rawgate
COPY deploy/docker/slim.sh script/bootstrap script/common.sh script/packages /tmp/rawgate/script/
RUN /tmp/rawgate/script/bootstrap runtime \
 && groupadd --gid 10001 rawgate \
 && useradd --uid 10001 --gid rawgate --no-create-home --home-dir /var/lib/rawgate --shell /usr/sbin/nologin rawgate \
 && /tmp/rawgate/script/slim.sh \
 && rm -rf /tmp/rawgate
# Volumes that are mounted there for the first time belong to the processes, as these folders do.
RUN install -d -o rawgate -g rawgate -m 0750 /run/rawgate /etc/rawgate/tls /var/lib/rawgate \
 && cd /var/lib/rawgate \
 && install -d -o rawgate -g rawgate -m 0750 chat exec files tls tls/authority tls/gateway-tls \
      tls/echo-tls tls/exec-tls tls/time-tls tls/file-tls tls/chat-tls
COPY deploy/docker/certificates.sh /usr/local/libexec/rawgate/certificates
COPY deploy/docker/exec-policy.textproto /etc/rawgate/

# runtime: the image but for the programs, which stand in layers of their own: a change of theirs leaves this one as it is.
FROM scratch AS runtime
COPY --from=rootfs / /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    STATE_DIRECTORY=/var/lib/rawgate \
    RAWGATE_ROOT=/var/lib/rawgate/files
WORKDIR /var/lib/rawgate
# By number, so that Kubernetes sees that it is not root.
USER 10001:10001
STOPSIGNAL SIGTERM
# Whichever program is process 1 asks itself, by the RAWGATE_ variables that both see; flags of the command are not seen here.
# Under `docker run --init` that is not one of ours: it is not needed, they all are good at being process 1.
# Not by /proc/1/exe: rawgate-exec cannot be read by its own user, whose commands must not read its memory.
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 \
  CMD read -r program </proc/1/comm && exec "$program" healthcheck
CMD ["rawgate", "--help"]

# protocols: the compiler, and code generated from the protos, which is compiled once and seldom again.
FROM ${BASE} AS protocols
WORKDIR /src
COPY script/bootstrap script/common.sh script/packages script/
RUN script/bootstrap build
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY deploy/docker/compile.sh deploy/docker/
COPY protos protos
COPY services/CMakeLists.txt services/
RUN for folder in runtime services/echo services/exec services/time services/file services/chat gateway cli; do \
      install -D /dev/null $folder/CMakeLists.txt; \
    done \
 && deploy/docker/compile.sh rawgate_protos

# libraries: what every program is linked with.
FROM protocols AS libraries
COPY runtime runtime
RUN deploy/docker/compile.sh rawgate_host rawgate_http2

# One stage for each program, so that a change of one compiles no other. None needs another, but each waits for its turn:
# BuildKit would build all of them at once, and so many compilers take more memory than most machines have.
FROM libraries AS echo
COPY services/echo services/echo
RUN deploy/docker/compile.sh rawgate-echo

FROM libraries AS exec
COPY --from=echo /src/turn .
COPY services/exec services/exec
RUN deploy/docker/compile.sh rawgate-exec

FROM libraries AS time
COPY --from=exec /src/turn .
COPY services/time services/time
RUN deploy/docker/compile.sh rawgate-time

FROM libraries AS file
COPY --from=time /src/turn .
COPY services/file services/file
RUN deploy/docker/compile.sh rawgate-file

FROM libraries AS chat
COPY --from=file /src/turn .
COPY services/chat services/chat
RUN deploy/docker/compile.sh rawgate-chat

FROM libraries AS gateway
COPY --from=chat /src/turn .
COPY gateway gateway
RUN deploy/docker/compile.sh rawgate-gateway

FROM libraries AS cli
COPY --from=gateway /src/turn .
COPY cli cli
RUN deploy/docker/compile.sh rawgate

# image: what docker-compose.yml runs.
FROM runtime AS image
COPY --from=echo /src/build/release/bin/ /usr/local/bin/
COPY --from=exec /src/build/release/bin/ /usr/local/bin/
COPY --from=time /src/build/release/bin/ /usr/local/bin/
COPY --from=file /src/build/release/bin/ /usr/local/bin/
COPY --from=chat /src/build/release/bin/ /usr/local/bin/
COPY --from=gateway /src/build/release/bin/ /usr/local/bin/
COPY --from=cli /src/build/release/bin/ /usr/local/bin/
# Nothing that a program loads is missing.
RUN ! ldd /usr/local/bin/rawgate* | grep "not found"
# CMake's.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="rawgate" \
      org.opencontainers.image.description="Network services that speak plain sockets, and one gRPC gateway that controls them" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# stubs: what the tests' gRPC clients are made of; the same as tests/CMakeLists.txt has it.
FROM protocols AS stubs
RUN mkdir /stubs \
 && protoc -I protos --python_out=/stubs --grpc_out=/stubs --plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin \
      $(cd protos && find * -name '*.proto') \
 && cd /usr/share/grpc-proto/grpc \
 && protoc -I . --python_out=/stubs --grpc_out=/stubs --plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin \
      channelz/v1/channelz.proto health/v1/health.proto reflection/v1/reflection.proto reflection/v1alpha/reflection.proto

# test: the conformance and parity suites, black-box tests in Python, against the programs and the libraries of the image, as
# its user. Left out is what a container that is being built has not, IPv6 above all (socket_families, stock_clients,
# time_classic), and clocks of other makers (time_real_clients); script/test runs these, and the suites that take privileges.
FROM image AS test
USER root
COPY script/bootstrap script/common.sh script/packages /src/script/
RUN /src/script/bootstrap image-test
COPY --from=stubs /stubs /stubs
COPY deploy/docker/run_tests.sh /src/script/
COPY tests /src/tests
WORKDIR /src
USER 10001:10001
RUN RAWGATE_BIN_DIR=/usr/local/bin RAWGATE_STUB_DIR=/stubs RAWGATE_TEST_SECOND_LOOPBACK=127.0.0.2 PYTHONDONTWRITEBYTECODE=1 \
    script/run_tests.sh socket_families_test stock_clients_test time_classic_test time_real_clients_test

# What is built where no target is named.
FROM image
