"""What one client sends must not reach the calls of another, nor fill the memory of a process that all share."""

import unittest

import grpc

from tests.harness import rpc
from tests.harness.bystander import BystanderTest
from tests.harness.deadlines import PATIENCE
from tests.harness.processes import peak_memory
from tests.harness.stack import Stack

MEBIBYTE = 1 << 20
# Of a message that is far beyond the limit a process may hold as much as is configured, and what comes until gRPC has
# made up its mind to drop it, but not the whole.
BUFFERS_MAX = 128 * MEBIBYTE
HUGE = 512 * MEBIBYTE
GROWTH_MAX = HUGE // 2
# Half a gigabyte is made, and even compressed, on a machine that has other things to do.
LONG_PATIENCE = 3 * PATIENCE

stack = None
client = None
peak_at_start = None


def setUpModule():
    global stack, client, peak_at_start
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_all(f"--rpc_buffers_max_bytes={BUFFERS_MAX}")
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)
    peak_at_start = peak_memory(stack.programs["gateway"].pid)


def own_client(**options):
    """On a connection of its own, or what one client breaks would be its own."""
    return rpc.Client(stack.gateway_target, {"grpc.use_local_subchannel_pool": 1, **options})


class SharedConnectionTest(BystanderTest):
    """The gateway has few connections to each service, for all of its clients."""

    def bystander_client(self):
        return client

    def setUp(self):
        super().setUp()
        self.stranger = own_client()
        self.addCleanup(self.stranger.close)

    def test_long_name_in_an_error(self):
        name = "\u00e9" * 1500
        for call, request in ((self.stranger.control.StopService, rpc.control.StopServiceRequest(service="echo", listener=name)),
                              (self.stranger.control.GetService, rpc.control.GetServiceRequest(service=name)),
                              (self.stranger.chat.SendMessage, rpc.chat.SendMessageRequest(session_id=name, body=b"x")),
                              (self.stranger.file.StatFile, rpc.file.StatFileRequest(filename=name))):
            with self.subTest(call=type(request).__name__):
                code, _, _ = rpc.error_of(call, request)
                self.assertIn(code, (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT))
                self.assert_conversations_go_on()

    def test_metadata_of_every_size_up_to_the_front_doors_limit(self):
        """What the gateway adds to what it has let in must not be too much for the service."""
        for size in range(7500, 8300, 20):
            with self.subTest(size=size):
                try:
                    self.stranger.echo.Echo(rpc.echo.EchoRequest(), metadata=(("x-padding", "v" * size),), timeout=PATIENCE)
                except grpc.RpcError as error:
                    # gRPC may end the connection of the one who sends too much, which is its own.
                    self.assertIn(error.code(), (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE))
                self.assert_conversations_go_on()


class MemoryTest(unittest.TestCase):
    def assert_little_growth(self):
        self.assertLess(peak_memory(stack.programs["gateway"].pid) - peak_at_start, GROWTH_MAX)

    def test_message_far_beyond_the_limit(self):
        hostile = own_client(**{"grpc.max_send_message_length": -1})
        self.addCleanup(hostile.close)
        with self.assertRaises(grpc.RpcError):
            hostile.echo.Echo(rpc.echo.EchoRequest(payload=bytes(HUGE)), timeout=LONG_PATIENCE)
        self.assert_little_growth()

    def test_message_that_inflates(self):
        hostile = own_client(**{"grpc.max_send_message_length": -1})
        self.addCleanup(hostile.close)
        with self.assertRaises(grpc.RpcError) as raised:
            hostile.echo.Echo(rpc.echo.EchoRequest(payload=bytes(HUGE)), timeout=LONG_PATIENCE, compression=grpc.Compression.Gzip)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)
        self.assert_little_growth()


if __name__ == "__main__":
    unittest.main()
