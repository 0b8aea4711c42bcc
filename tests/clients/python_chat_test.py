"""The chat with clients/python, for operators."""

import asyncio
import socket
import unittest

from tests.clients.both import classes_of, collected, restart
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.gated_relay import GatedRelay
from tests.harness.program import Program
from tests.harness.stack import Stack

# pylint: disable=wrong-import-order
import rawgate

stack = None


def setUpModule():
    global stack
    stack = Stack(stable_ports=True)
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("chat")
    stack.start_gateway()
    with rawgate.connect(stack.gateway_target) as client:
        wait_until(lambda: client.services.get("chat").state == rawgate.ServiceState.RUNNING, "chat")


def watchers():
    """Typed calls in progress."""
    with rawgate.connect(stack.gateway_target) as observer:
        return [each for each in observer.services.connections("chat") if each.transport == rawgate.Transport.RPC]


def restart_and_answer():
    """chat ends and comes back, and somebody answers the newest session."""
    with rawgate.connect(stack.gateway_target) as client:
        session = next(client.chat.sessions()).id
        restart(stack, "chat", Program.stop)
        client.chat.send(session, "after")


class ChatCases:
    def peer(self, *texts):
        """Somebody who writes, and the id of his session."""
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(client.close)
        client.settimeout(PATIENCE)
        client.connect(stack.address("chat", "udp"))
        for text in texts:
            client.send(text.encode())
        return client, "%s:%d" % client.getsockname()

    async def test_a_conversation(self):
        client = self.connect(stack.gateway_target)
        async with client.chat.watch(timeout=PATIENCE) as updates:
            while not isinstance(await anext(updates), rawgate.CaughtUp):
                pass
            peer, session = self.peer("anybody there? 你好")
            message = await anext(updates)
            self.assertEqual((message.session_id, message.text, message.direction),
                             (session, "anybody there? 你好", rawgate.Direction.INBOUND))
            sent = await client.chat.send(session, "yes", operator_name="ops", request_id=self.id())
            again = await client.chat.send(session, "yes", operator_name="ops", request_id=self.id())
            self.assertEqual(again, sent, "sent once")
            self.assertEqual((await anext(updates)), sent.message)
        self.assertEqual(peer.recv(100), b"yes")
        self.assertIn(session, [each.id for each in await collected(client.chat.sessions())])
        kept = await collected(client.chat.messages(session))
        self.assertEqual([(each.body, each.operator_name) for each in kept], [("anybody there? 你好".encode(), ""), (b"yes", "ops")])
        peer.setblocking(False)
        with self.assertRaises(BlockingIOError):
            peer.recv(100)

    async def test_to_everybody(self):
        client = self.connect(stack.gateway_target)
        peers = [self.peer("one of many") for _ in range(3)]
        async with client.chat.watch(timeout=PATIENCE) as updates:
            async for update in updates:
                if isinstance(update, rawgate.Message) and update.session_id == peers[-1][1]:
                    break
        sent = await client.chat.send(None, b"closing\xff")
        self.assertLessEqual({session for _, session in peers}, {each.session_id for each in sent.deliveries})
        for peer, _ in peers:
            self.assertEqual(peer.recv(100), b"closing\xff")

    async def test_a_session_that_is_not_there(self):
        with self.assertRaises(rawgate.NotFound) as raised:
            await self.connect(stack.gateway_target).chat.send("nobody", "x")
        self.assertEqual(raised.exception.reason, "SESSION_NOT_FOUND")

    async def test_a_watch_goes_on_after_broken_connections(self):
        relay = GatedRelay(stack.programs["gateway"].address("grpc"))
        self.addCleanup(relay.close)
        peer, session = self.peer("0")
        heard = []
        async for update in self.connect(relay.address).chat.watch(session=session, timeout=PATIENCE):
            if isinstance(update, rawgate.CaughtUp):
                continue
            heard.append(update.text)
            if heard[-1] == "3":
                break
            relay.cut()
            peer.send(str(len(heard)).encode())
        self.assertEqual(heard, ["0", "1", "2", "3"], "each once, in order")

    async def test_a_watch_goes_on_after_a_restart_of_the_service(self):
        _, session = self.peer("before")
        heard = []
        async for update in self.connect(stack.gateway_target).chat.watch(session=session, timeout=PATIENCE):
            if isinstance(update, rawgate.CaughtUp):
                await asyncio.to_thread(restart_and_answer)
            elif isinstance(update, rawgate.Message):
                heard.append(update.text)
                if update.direction == rawgate.Direction.OUTBOUND:
                    break
        self.assertEqual(heard, ["before", "after"], "each once, in order")

    async def test_who_leaves_ends_the_call(self):
        client = self.connect(stack.gateway_target)
        wait_until(lambda: not watchers(), "those of other cases to leave")
        self.peer("so that there is a message")
        async for _ in client.chat.watch(timeout=PATIENCE):
            self.assertEqual(len(watchers()), 1)
            break
        wait_until(lambda: not watchers(), "the end of the call")

    async def test_a_client_that_is_closed(self):
        client = self.connect(stack.gateway_target)
        async with client.chat.watch(timeout=PATIENCE) as updates:
            while not isinstance(await anext(updates), rawgate.CaughtUp):
                pass
            waiting = asyncio.ensure_future(anext(updates))
            await asyncio.sleep(0)
            await client.close()
            with self.assertRaises(rawgate.Cancelled):
                await waiting
        with self.assertRaises(rawgate.FailedPrecondition) as raised:
            await client.chat.send(None, "x")
        self.assertEqual(raised.exception.reason, "CLIENT_CLOSED")

    async def test_an_operator_who_closes_the_call(self):
        """gRPC for asyncio makes of it what it makes of a cancelled task."""
        client = self.connect(stack.gateway_target)
        wait_until(lambda: not watchers(), "those of other cases to leave")
        with self.assertRaises(rawgate.Cancelled) as raised:
            async with client.chat.watch(timeout=PATIENCE) as updates:
                watcher, = watchers()
                await client.services.close("chat", watcher.id)
                async for _ in updates:
                    pass
        self.assertEqual(raised.exception.reason, "CLOSED_BY_OPERATOR")


globals().update(classes_of(ChatCases))

if __name__ == "__main__":
    unittest.main()
