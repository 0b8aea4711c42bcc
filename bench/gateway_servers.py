"""The gateway, the proxies that it is compared with, and a whole rawgate of six processes."""

import dataclasses
import grp
import os
import pathlib
import pwd
import subprocess
import tempfile
import time

from servers import PATIENCE, Servers, free_port, program_path

# As one would put it before a gRPC service under load: HTTP/2 to clients, connections to the service that are kept (there
# is one call on each at a time), and nothing that ends one after some thousand calls.
NGINX_CONFIGURATION = """\
daemon off;
user {user} {group};
worker_processes {workers};
pid {state}/pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  http2_max_concurrent_streams 1000;
  client_body_temp_path {state}/client_body;
  proxy_temp_path {state}/proxy;
  fastcgi_temp_path {state}/fastcgi;
  uwsgi_temp_path {state}/uwsgi;
  scgi_temp_path {state}/scgi;
  upstream service {{
    server {service};
    keepalive 1000;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} http2;
    location / {{ grpc_pass grpc://service; }}
  }}
}}
"""
# Of nginx and of nghttpx; the gateway has what it has by itself, one lane for every two processors.
WORKERS = 2
SERVICES = {
    "echo": ["tcp=tcp://127.0.0.1:0", "udp=udp://127.0.0.1:0"],
    "exec": ["raw=tcp://127.0.0.1:0", "sized=tcp://127.0.0.1:0", "header=tcp://127.0.0.1:0", "framed=tcp://127.0.0.1:0"],
    "time": ["udp=udp://127.0.0.1:0"],
    "file": ["tcp=tcp://127.0.0.1:0"],
    "chat": ["udp=udp://127.0.0.1:0"],
}


@dataclasses.dataclass
class Door:
    """Where gRPC is spoken."""
    name: str
    target: str


class GatewayServers(Servers):
    """Stops them at the end, and removes what they had on disk."""

    def __init__(self, build):
        super().__init__(build)
        self._folder = pathlib.Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="rawgate-bench-")))

    def doors(self):
        """One echo service, and ways to it: the gateway, nginx, nghttpx, and directly."""
        echo = self.ours("echo", "tcp")
        gateway = self.gateway("echo", echo)
        return [Door("gateway", gateway.rpc), self._nginx(echo.rpc), self._nghttpx(echo.rpc), Door("direct", echo.rpc)]

    def _nginx(self, service):
        port, state = free_port(), self._folder / "nginx"
        state.mkdir()
        configuration = state / "nginx.conf"
        configuration.write_text(NGINX_CONFIGURATION.format(
            user=pwd.getpwuid(os.geteuid()).pw_name, group=grp.getgrgid(os.getegid()).gr_name, workers=WORKERS,
            state=state, service=service, port=port))
        self._daemon("nginx", port, [program_path("nginx"), "-p", str(state), "-e", "stderr", "-c", str(configuration)])
        return Door("nginx grpc_pass", f"127.0.0.1:{port}")

    def _nghttpx(self, service):
        port = free_port()
        host, _, service_port = service.rpartition(":")
        self._daemon("nghttpx", port, [
            program_path("nghttpx"), "--conf=/dev/null", f"--workers={WORKERS}", f"--frontend=127.0.0.1,{port};no-tls",
            f"--backend={host},{service_port};;proto=h2", "--log-level=FATAL"])
        return Door("nghttpx", f"127.0.0.1:{port}")

    def whole(self):
        """All six processes, begun at once, with the listeners that they have by themselves, on other ports. Returns
        {program: server} and the seconds until every health check was green.
        """
        folder = pathlib.Path(tempfile.mkdtemp(dir=self._folder))
        targets = {name: f"unix:{folder}/{name}.sock" for name in SERVICES}
        front = f"unix:{folder}/gateway.sock"
        commands = {name: [f"--listen={','.join(listeners)}", f"--rpc_listen=unix://{folder}/{name}.sock"]
                    for name, listeners in SERVICES.items()}
        commands["file"].append(f"--root={folder}/files")
        commands["gateway"] = [f"--listen=grpc=unix://{folder}/gateway.sock",
                               "--backends=" + ",".join(f"{name}={target}" for name, target in targets.items())]
        checks = [f"{target}=" for target in targets.values()] + [f"{front}={name}" for name in ("", *SERVICES)]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RAWGATE_")}
        environment["RAWGATE_HTTP_LISTEN"] = "off"
        begin = time.monotonic()
        servers = {}
        for name, flags in commands.items():
            process = subprocess.Popen([str(self.build / "bin" / f"rawgate-{name}"), "--log_level=warn", *flags],
                                       stdout=subprocess.PIPE, text=True, env=environment)
            servers[name] = self._add(name, process, None)
        subprocess.run([str(self.build / "bench/await_health"), *checks], check=True, timeout=PATIENCE)
        return servers, time.monotonic() - begin
