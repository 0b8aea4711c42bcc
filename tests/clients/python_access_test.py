"""Who clients/python is to a gateway that asks: tokens, certificates, roles."""

import unittest
from unittest import mock

from tests.clients.both import classes_of
from tests.harness.access import TOKENS, AccessFile, one_user_for_each_role, user
from tests.harness.deadlines import wait_until
from tests.harness.program import clean_environment
from tests.harness.stack import Stack
from tests.harness.tls_folder import TlsFolder

# pylint: disable=wrong-import-order
import rawgate

stack = None
authority = None
foreign = None


def setUpModule():
    global stack, authority, foreign
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    authority = TlsFolder(stack.directory / "tls")
    foreign = TlsFolder(stack.directory / "foreign")
    authority.sign("named", common_name="named.example")
    access = AccessFile(authority.path("users.textproto"),
                        one_user_for_each_role() + user("named", "operator", common_names=("named.example",)))
    for name in ("echo", "file"):
        stack.start_service(name)
    stack.start_gateway(access.flag, *authority.gateway_flags())
    with rawgate.connect(stack.gateway_target, token=TOKENS["viewer"], ca=authority.path("ca.pem")) as client:
        wait_until(lambda: all(each.state == rawgate.ServiceState.RUNNING for each in client.services.list()), "the services")


class AccessCases:
    def trusting(self, **options):
        return self.connect(stack.gateway_target, ca=authority.path("ca.pem"), **options)

    async def test_a_token(self):
        client = self.trusting(token=TOKENS["executor"])
        self.assertEqual(await client.echo(b"x"), b"X")
        self.assertEqual((await client.files.put(b"x" * 1000, "mine")).size, 1000)
        token_file = stack.directory / "token"
        token_file.write_text(TOKENS["operator"] + "\n")
        self.assertEqual(await self.trusting(token_file=token_file).echo(b"x"), b"X")

    async def test_roles(self):
        client = self.trusting(token=TOKENS["viewer"])
        await client.services.list()
        with self.assertRaises(rawgate.PermissionDenied) as raised:
            await client.services.stop("echo")
        self.assertEqual(raised.exception.reason, "ROLE_TOO_LOW")
        with self.assertRaises(rawgate.PermissionDenied):
            await self.trusting(token=TOKENS["operator"]).files.put(b"x", "theirs")

    async def test_a_certificate(self):
        paths = {"cert": authority.path("named.pem"), "key": authority.path("named-key.pem")}
        self.assertEqual(await self.trusting(**paths).echo(b"x"), b"X")
        pem = {name: path.read_bytes() for name, path in {"ca": authority.path("ca.pem"), **paths}.items()}
        self.assertEqual(await self.connect(stack.gateway_target, **pem).echo(b"x"), b"X")

    async def test_strangers(self):
        for reason, options in (("CREDENTIALS_MISSING", {}), ("CREDENTIALS_UNKNOWN", {"token": "nobody"})):
            with self.assertRaises(rawgate.Unauthenticated) as raised:
                await self.trusting(**options).echo(b"x")
            self.assertEqual(raised.exception.reason, reason)

    async def test_a_gateway_that_is_another(self):
        client = self.connect(stack.gateway_target, ca=foreign.path("ca.pem"), token=TOKENS["viewer"], retries=0)
        with self.assertRaises(rawgate.Unavailable):
            await client.services.list()

    async def test_where_the_environment_says(self):
        environment = clean_environment(RAWGATE_GATEWAY=stack.gateway_target, RAWGATE_TLS_CA=str(authority.path("ca.pem")),
                                        RAWGATE_TOKEN=TOKENS["operator"])
        with mock.patch.dict("os.environ", environment, clear=True):
            self.assertEqual(await self.connect(None).echo(b"x"), b"X")


globals().update(classes_of(AccessCases))

if __name__ == "__main__":
    unittest.main()
