"""Builds the image of docker-compose.yml, as users do, and keeps it where engine_or_skip() finds it:

    python3 -m tests.docker.image
"""

import sys

from tests.docker import base
from tests.docker.engine import ARCHIVE, CACHE, IMAGE, Unavailable, building
from tests.harness.program import REPOSITORY

# A cold compilation takes some ten minutes on two cores.
TIMEOUT_S = 3600


def build(engine):
    if engine.own:
        base.ensure(engine, CACHE)
        # Compose cannot be told to use the host's network, but to use the layers that are there already it need not.
        engine.docker("build", "--network=host", "--tag", IMAGE, str(REPOSITORY), timeout=TIMEOUT_S)
        built = identity(engine)
        engine.compose("--file", str(REPOSITORY / "docker-compose.yml"), "build", timeout=TIMEOUT_S)
        if identity(engine) != built:
            raise AssertionError("docker-compose.yml builds another image than `docker build`")


def identity(engine):
    return engine.docker("image", "inspect", "--format", "{{.Id}}", IMAGE).stdout.strip()


def main():
    try:
        with building() as engine:
            build(engine)
            if engine.own:
                engine.docker("save", "--output", str(ARCHIVE), IMAGE)
    except Unavailable as reason:
        print(f"\nSKIPPED: {reason}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
