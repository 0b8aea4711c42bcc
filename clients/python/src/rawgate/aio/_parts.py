"""What a Client of asyncio has for files, chat and services: as rawgate._parts, which says what each does."""

from __future__ import annotations

from rawgate import _downloads, _small_calls, _uploads, _watches
from rawgate._retry import How
from rawgate._source import UploadSource
from rawgate._async import Driver, Stream
from rawgate._target import DownloadTarget
from rawgate.conversations import ChatUpdate, Message, Sent, Session
from rawgate.faults import Faults
from rawgate.progress import ProgressCallback
from rawgate.states import Connection, Service, ServicesChange
from rawgate.stored import FileInfo, StoreLimits, UnfinishedUpload


class _Part:
    def __init__(self, driver: Driver, how: How) -> None:
        self._driver = driver
        self._how = how


class Files(_Part):
    """The file store. Names are relative to its root, with '/' between folders."""

    async def put(self, source: UploadSource, name: str, *, progress: ProgressCallback | None = None, resume: bool = True,
                  if_absent: bool = False, timeout: float | None = None) -> FileInfo:
        """Stores a path, bytes or a seekable binary file under `name`."""
        flow = _uploads.put(source, name, progress=progress, resume=resume, if_absent=if_absent, how=self._how.endless(timeout))
        return await self._driver.run(flow)

    async def get(self, name: str, target: DownloadTarget, *, progress: ProgressCallback | None = None, resume: bool = True,
                  timeout: float | None = None) -> FileInfo:
        """Fetches `name` to a path, or into an open binary file."""
        flow = _downloads.get(name, target, progress=progress, resume=resume, how=self._how.endless(timeout))
        return await self._driver.run(flow)

    async def stat(self, name: str, *, with_sha256: bool = False, timeout: float | None = None) -> FileInfo:
        """One entry."""
        how = self._how.endless(timeout) if with_sha256 else self._how.within(timeout)
        return await self._driver.run(_small_calls.stat_file(name, with_sha256, how))

    def list(self, folder: str = "") -> Stream[FileInfo]:
        """One folder's entries by name, folders included, not what is below them."""
        return self._driver.items(_small_calls.list_files(folder, self._how), FileInfo)

    async def delete(self, name: str, *, missing_ok: bool = False, timeout: float | None = None) -> None:
        """Removes a file, or a folder that is empty, for good."""
        await self._driver.run(_small_calls.delete_file(name, missing_ok, self._how.within(timeout)))

    async def move(self, name: str, new_name: str, *, if_absent: bool = False, timeout: float | None = None) -> FileInfo:
        """Gives a file or a folder another name, in one step."""
        return await self._driver.run(_small_calls.move_file(name, new_name, if_absent, self._how.within(timeout)))

    async def limits(self, *, timeout: float | None = None) -> StoreLimits:
        """What fits."""
        return await self._driver.run(_small_calls.store_limits(self._how.within(timeout)))

    def uploads(self) -> Stream[UnfinishedUpload]:
        """Uploads that are not complete, by id."""
        return self._driver.items(_small_calls.list_uploads(self._how), UnfinishedUpload)


class Chat(_Part):
    """The UDP chat, for operators."""

    def sessions(self) -> Stream[Session]:
        """Who has written, the one heard from most recently first."""
        return self._driver.items(_small_calls.list_sessions(self._how), Session)

    def messages(self, session: str = "") -> Stream[Message]:
        """What is kept of one session, or of all, the oldest first."""
        return self._driver.items(_small_calls.list_messages(session, self._how), Message)

    def watch(self, *, after: int = 0, session: str = "", timeout: float | None = None) -> Stream[ChatUpdate]:
        """What is kept after a message's number, then CaughtUp, then what comes."""
        return self._driver.watch(_watches.watch_messages(after, session, self._how.endless(timeout)))

    async def send(self, session: str | None, body: str | bytes, *, operator_name: str = "", request_id: str | None = None,
                   timeout: float | None = None) -> Sent:
        """One datagram to the peer of a session, or to each of all when it is None."""
        data = body.encode() if isinstance(body, str) else body
        flow = _small_calls.send_message(session, data, operator_name, request_id, self._how.within(timeout))
        return await self._driver.run(flow)


class Services(_Part):
    """The services: what they are doing, and who is connected."""

    async def list(self, *, timeout: float | None = None) -> tuple[Service, ...]:
        """All of them, those that do not answer included."""
        return await self._driver.run(_small_calls.list_services(self._how.within(timeout)))

    async def get(self, name: str, *, instance: str = "", timeout: float | None = None) -> Service:
        """One; of several replicas the first, or that of `instance`."""
        return await self._driver.run(_small_calls.get_service(name, instance, self._how.within(timeout)))

    async def start(self, name: str, *, listener: str = "", instance: str = "", timeout: float | None = None) -> Service:
        """Returns when the service, or one listener of it, accepts."""
        return await self._driver.run(_small_calls.start_service(name, listener, instance, self._how.within(timeout)))

    async def stop(self, name: str, *, listener: str = "", instance: str = "", grace: float | None = None,
                   timeout: float | None = None) -> Service:
        """Returns when it is stopped: requests in progress have `grace` seconds (5 unless given) to finish."""
        how = self._how.within(timeout).longer_by(grace)
        return await self._driver.run(_small_calls.stop_service(name, listener, instance, grace, how))

    def watch(self, *, timeout: float | None = None) -> Stream[ServicesChange]:
        """A snapshot first, then every change of state."""
        return self._driver.watch(_watches.watch_services(self._how.endless(timeout)))

    def connections(self, service: str = "") -> Stream[Connection]:
        """Open connections, UDP peers of the last ten minutes, typed calls in progress: of one service, or of all."""
        return self._driver.items(_small_calls.list_connections(service, self._how), Connection)

    async def close(self, service: str, connection_id: int, *, instance: str = "", timeout: float | None = None) -> None:
        """Closes one connection, or ends one typed call."""
        await self._driver.run(_small_calls.close_connection(service, connection_id, instance, self._how.within(timeout)))

    async def set_faults(self, service: str, faults: Faults | None, *, listener: str = "", instance: str = "",
                         timeout: float | None = None) -> Service:
        """Makes a listener misbehave on purpose, in place of what it did wrong before; None makes it behave again."""
        return await self._driver.run(_small_calls.set_faults(service, listener, instance, faults, self._how.within(timeout)))
