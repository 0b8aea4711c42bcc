"""Commands of documents that cannot run here, by their first line, each with the test that has it or the reason."""

BUILDS = "builds; tests/script/up_test.py starts what is built, and stops it"
COMPOSE = "takes a Docker engine; tests/docker/compose_test.py has it"
COMPOSE_TLS = "takes a Docker engine; tests/docker/compose_tls_test.py has it"
COMPOSE_METRICS = "takes a Docker engine; tests/docker/compose_observability_test.py has it"
DEBIAN = "changes the system; tests/deploy/debian_package_test.py installs the packages"
SYSTEMD = "takes systemd; tests/deploy/systemd_boot_test.py boots one"
SOCKETS = "takes systemd; tests/deploy/systemd_socket_test.py boots one"
PACKAGES = "installs packages of Debian"
COPY_OF_COMPOSE = "takes a Docker engine; what it does is run here as it is done from source"
COPY_OF_SYSTEMD = "takes systemd; what it does is run here as it is done from source"

NOT_RUN = {
    # README.md, and what goes on from there
    "./script/up -d": BUILDS,
    "./script/down": BUILDS,
    "./script/bootstrap samples": PACKAGES,
    "./script/test": "runs this test",
    "./script/lint": f"{PACKAGES}; tests/tidy is the part of it that is a test",
    "./script/bench": "measures for long, and writes to docs/",
    # CONTRIBUTING.md
    "./script/bootstrap build test lint": PACKAGES,
    "cmake --preset dev && cmake --build --preset dev": "builds everything",
    "ctest --preset dev -j2": "runs this test",
    # docs/docker.md
    "docker compose up -d": COMPOSE,
    "docker compose exec gateway rawgate ps": COMPOSE,
    "docker compose down": COMPOSE,
    "docker compose --profile observability up -d": COMPOSE_METRICS,
    "docker compose --profile tls --profile observability down": COMPOSE_TLS,
    "docker compose --profile tls up -d gateway-tls": COMPOSE_TLS,
    "docker compose run --rm certificates rawgate ps": COMPOSE_TLS,
    "docker compose run --rm -T certificates cat ca.pem > ca.pem": COMPOSE_TLS,
    "(umask 077; docker compose run --rm -T certificates cat token > token)": COMPOSE_TLS,
    "rawgate --gateway localhost:50443 --tls-ca ca.pem --token-file token ps": COMPOSE_TLS,
    # docs/operations.md
    "script/up -d": BUILDS,
    "apt install ./rawgate_*.deb ./rawgate-server_*.deb": DEBIAN,
    "systemctl enable --now rawgate-exec.service": SYSTEMD,
    "systemctl is-active rawgate-{gateway,echo,time,file,chat}": SYSTEMD,
    "systemctl stop rawgate-chat.socket rawgate-chat.service": SOCKETS,
    "systemctl start rawgate-chat.socket rawgate-chat.service": SOCKETS,
    "systemctl reload rawgate-exec": "takes systemd; tests/system/exec_policy_test.py sends the signal",
    "docker compose kill -s HUP exec": "takes a Docker engine; tests/system/exec_policy_test.py sends the signal",
    "docker compose ps": COMPOSE,
    "docker compose stop chat": COMPOSE,
    "docker compose up -d chat": COMPOSE,
    "docker compose run --rm certificates": COMPOSE_TLS,
    **{command: COPY_OF_COMPOSE for command in (
        "docker compose exec -T file tar -c --exclude='.rawgate-*' -C /var/lib/rawgate/files . > files.tar",
        "docker compose pause chat",
        "docker compose run --rm -T --no-deps chat tar -c -C /var/lib/rawgate/chat . > chat.tar; docker compose unpause chat",
        "docker compose run --rm -T certificates tar -c . > authority.tar",
        "docker compose exec -T file tar -x -C /var/lib/rawgate/files < files.tar",
        "docker compose run --rm -T --no-deps chat sh -c "
        "'rm -f /var/lib/rawgate/chat/* && tar -x -C /var/lib/rawgate/chat' < chat.tar",
        "docker compose run --rm -T certificates sh -c 'rawgate new-token ci operator 2>>access.textproto' >ci.token",
    )},
    **{command: COPY_OF_SYSTEMD for command in (
        "systemctl freeze rawgate-chat && cp -a /var/lib/rawgate/chat /backup/; systemctl thaw rawgate-chat",
        "rm -rf /var/lib/rawgate/chat; cp -a /backup/chat /var/lib/rawgate/",
    )},
    "chgrp -R rawgate tls && chmod 750 tls && chmod 640 tls/access.textproto tls/server-key.pem":
        "takes the package's group; tests/deploy/debian_package_test.py installs it",
    # docs/faults.md
    "RAWGATE_ALLOW_FAULTS=true ./script/up -d": BUILDS,
    # docs/troubleshooting.md
    "nft list ruleset": "takes root, and a machine that filters by nftables",
    # services/time/PROTOCOL.md
    "rawgate-time --listen=udp=udp://127.0.0.1:9000,daytime=tcp://127.0.0.1:13,daytime=udp://127.0.0.1:13,ntp=udp://127.0.0.1:123":
        "stays, on ports below 1024; tests/conformance/time_classic_test.py has these listeners",
    # docs/observability.md
    "prometheus --config.file=deploy/prometheus/prometheus.yml --storage.tsdb.path=/tmp/rawgate-metrics":
        "stays, on a port of its own; tests/system/prometheus_test.py has it",
}

# Documents that other tests run.
RUN_ELSEWHERE = {
    "examples/README.md": ("tests/examples/recipes_test.py",),
    "clients/python/README.md": ("tests/clients/python_readme_test.py", "tests/clients/python_package_test.py"),
}

# What the reader of a command has done before, elsewhere than in the document.
BEFORE = {
    "rawgate context add lab --address lab.example:50051 --tls-ca ~/lab/ca.pem --token-file ~/lab/token":
        "rawgate init-tls ~/rawgate-tls --host lab.example && ln -s rawgate-tls ~/lab",
    "rawgate init-tls --renew /etc/rawgate/tls":
        "rawgate init-tls ~/rawgate-tls --host lab.example && ln -s ~/rawgate-tls /etc/rawgate/tls",
    "cd /etc/rawgate && rawgate init-tls tls --host lab.example": "rm /etc/rawgate/tls",
}
