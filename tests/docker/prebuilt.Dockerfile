# The runtime stage of the top Dockerfile with programs that are built already; the context is their folder.
ARG RUNTIME
FROM ${RUNTIME}
COPY rawgate rawgate-* /usr/local/bin/
