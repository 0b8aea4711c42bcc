"""Builds the images of docker-compose.yml, as users do, and keeps them where engine_or_skip() finds them:

    python3 -m tests.docker.image
"""

import re

from tests.docker import base
from tests.docker.engine import ARCHIVE, CACHE, IMAGES, Unavailable, building
from tests.harness.program import REPOSITORY

# A cold compilation takes a quarter of an hour on two cores.
TIMEOUT_S = 3600
# What each image is built of, as docker-compose.yml has it.
RAWGATE = ("--target", "image", str(REPOSITORY))
BUILDS = dict(zip(IMAGES, (RAWGATE, RAWGATE, (str(REPOSITORY / "deploy/prometheus"),))))


def build(engine):
    if engine.own:
        base.ensure(engine, CACHE)
        engine.docker("container", "prune", "--force")
        # Compose cannot be told to use the host's network, but to use the layers that are there already it need not.
        for image, options in BUILDS.items():
            engine.docker("build", "--network=host", "--tag", image, *options, timeout=TIMEOUT_S)
        built = identities(engine)
    engine.compose("--file", str(REPOSITORY / "docker-compose.yml"), "--profile", "observability", "--profile", "tls", "build",
                   timeout=TIMEOUT_S)
    if engine.own and identities(engine) != built:
        raise AssertionError("docker-compose.yml builds other images than `docker build`")


def identities(engine):
    """Of the images, as far as there are any."""
    return engine.docker("image", "inspect", "--format", "{{.Id}}", *IMAGES, check=False).stdout.split()


def keep(engine):
    engine.docker("save", "--output", str(ARCHIVE), *IMAGES)
    forget_what_is_not_used(engine)


def forget_what_is_not_used(engine):
    """Layers of stages as they are now have names from here on, those of former ones go."""
    for image, context in {context: (image, context) for image, (*_, context) in reversed(BUILDS.items())}.values():
        stages = re.findall(r"(?m)^FROM .* AS (\w+)$", (REPOSITORY / context / "Dockerfile").read_text())
        for stage in stages:
            if stage != "test":
                engine.docker("build", "--network=host", "--tag", f"{image}-stage:{stage}", "--target", stage, context)
    engine.docker("image", "prune", "--force")


def main():
    try:
        with building() as engine:
            before = identities(engine)
            build(engine)
            if engine.own and not (ARCHIVE.exists() and identities(engine) == before):
                keep(engine)
    except Unavailable as reason:
        print(f"\nSKIPPED: {reason}", flush=True)


if __name__ == "__main__":
    main()
