"""Many large uploads at once: the bound on what the gateway buffers must not end calls that do nothing wrong."""

import concurrent.futures
import unittest

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE
from tests.harness.stack import Stack

UPLOADS = 64
MEBIBYTE = 1 << 20
SIZE = 24 * MEBIBYTE


def parts(name):
    yield rpc.file.UploadRequest(start=rpc.file.UploadStart(filename=name, size=SIZE))
    chunk = bytes(MEBIBYTE)
    for _ in range(SIZE // len(chunk)):
        yield rpc.file.UploadRequest(data=chunk)


class ManyUploadsTest(unittest.TestCase):
    def test_all_arrive(self):
        stack = Stack()
        self.addCleanup(stack.stop)
        stack.start_all()

        def upload(number):
            # Half of them on connections of their own, as separate clients are; the others share one, as in one program.
            client = rpc.Client(stack.gateway_target, {"grpc.use_local_subchannel_pool": number % 2})
            try:
                return client.file.Upload(parts(f"file-{number}"), timeout=5 * PATIENCE).file.size
            finally:
                client.close()

        with concurrent.futures.ThreadPoolExecutor(UPLOADS) as pool:
            self.assertEqual(list(pool.map(upload, range(UPLOADS))), [SIZE] * UPLOADS)


if __name__ == "__main__":
    unittest.main()
