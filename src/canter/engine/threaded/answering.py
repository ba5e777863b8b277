"""The sending of answers that the server gives by itself; see `canter.engine.answers`.

Everything here is called by the owner of a connection that is in READY and in no queue.
"""

from __future__ import annotations

import os
from collections import deque

from canter.engine.answers import Answer, FileRange
from canter.engine.contract import EngineConfig
from canter.engine.phases import Phase
from canter.engine.threaded.connection import After, Connection
from canter.engine.threaded.service import Service
from canter.observe.outcomes import Outcome
from canter.protocol.response import judge_response
from canter.protocol.writer import ResponseWriter
from canter.wsgi.exchange import ClientGone

_BODILESS = ("204", "304")
_SMALL_BYTES = 64 * 1024


class Answering:
    """Asks the responders, and sends answers."""

    def __init__(self, config: EngineConfig, service: Service) -> None:
        self._responders = config.responders
        self._keeps_alive = config.keep_alive_seconds > 0
        self._service = service

    def ask(self, connection: Connection) -> After | None:
        """Answer the connection's request, or None where that is for the application.

        Raises ClientGone as `give` does.
        """
        request = connection.request
        assert request is not None
        if not request.names_client:
            request.environ["REMOTE_ADDR"] = connection.peer_host
        for responder in self._responders:
            try:
                answer = responder(request)
            except Exception as error:
                self._service.failed(error)
                continue
            if answer is not None:
                return self.give(connection, answer, Outcome.OK)
        return None

    def give(self, connection: Connection, answer: Answer, outcome: Outcome) -> After:
        """Send an answer, or keep for the loop what the client does not take at once.

        Afterwards the connection is in RUNNING, and the books have their entry. Raises ClientGone.
        """
        request = connection.request
        assert request is not None
        connection.move(Phase.RUNNING)
        connection.raw = None
        is_read = connection.reader.body_complete
        keep_alive = (
            request.keep_alive
            and self._keeps_alive
            and is_read
            and not connection.hub.draining
            and not connection.input_ended
        )
        writer = connection.reader.answer(request, keep_alive)
        length = answer.length
        fields = list(answer.fields)
        if answer.status[:3] not in _BODILESS:
            fields.append(("Content-Length", str(length)))
        head = judge_response(answer.status, fields)
        data = writer.head(head, -1, connection.hub.date_line)
        body_bytes = 0 if writer.bodyless else length
        self._service.answered_here(connection, head.code, fields, body_bytes, outcome)
        try:
            self._send(connection, writer, data, answer)
        except ClientGone as gone:
            connection.unlogged.body_bytes = max(body_bytes - gone.refused_bytes, 0)
            raise
        if writer.keep_alive:
            return After.NEXT
        # As after any other response: a client that may still be sending must not get a reset.
        may_send = request.keep_alive or not is_read or connection.reader.buffered
        return After.LINGER if may_send else After.CLOSE

    @staticmethod
    def _send(connection: Connection, writer: ResponseWriter, head: bytes, answer: Answer) -> None:
        """Hand over the head and all of the content; bytes that are together go together."""
        content = deque(answer.content)
        try:
            while content and not writer.bodyless:
                part = content.popleft()
                block = _in_memory(part) if isinstance(part, FileRange) else part
                if block is not None:
                    head += writer.data(block) if block else b""
                else:
                    assert isinstance(part, FileRange)
                    connection.send_stretch(head, part, writer)
                    head = b""
            head += writer.end()
            if head:
                connection.send(head)
        finally:
            for part in content:
                if isinstance(part, FileRange):
                    os.close(part.descriptor)


def _in_memory(file: FileRange) -> bytes | None:
    """A small stretch, whose descriptor is closed then; None where it is for the kernel to send.

    One write is quicker than two. A stretch that is not there whole any more is found out later.
    """
    if file.count > _SMALL_BYTES:
        return None
    block = os.pread(file.descriptor, file.count, file.offset)
    if len(block) < file.count:
        return None
    os.close(file.descriptor)
    return block
