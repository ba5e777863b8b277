"""The sending of answers that the server gives by itself; see `canter.engine.answers`.

Everything here is called by the owner of a connection that is in READY and in no queue.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from canter.engine.answers import Answer, FileRange
from canter.engine.contract import EngineConfig
from canter.engine.phases import Phase
from canter.engine.threaded.connection import After, Connection
from canter.engine.threaded.service import Service
from canter.observe.outcomes import Outcome
from canter.protocol.response import judge_response
from canter.wsgi.exchange import ClientGone

_BODILESS = {204, 304}
_BLOCK_BYTES = 64 * 1024


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
        file = answer.file
        length = len(answer.body) + (0 if file is None else file.count)
        fields = list(answer.fields)
        head = judge_response(answer.status, fields)
        if head.code not in _BODILESS:
            head = judge_response(answer.status, [*fields, ("Content-Length", str(length))])
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
    def _send(connection: Connection, writer: Any, head: bytes, answer: Answer) -> None:
        file = answer.file
        if file is not None and (writer.bodyless or writer.chunked):
            # A format that wraps every block leaves nothing for the kernel to send by itself.
            wraps = not writer.bodyless
            blocks = [answer.body, *_blocks(file)] if wraps else []
            os.close(file.descriptor)
            file = None
        else:
            blocks = [] if writer.bodyless else [answer.body]
        body = b"".join([writer.data(block) for block in blocks if block])
        if file is None:
            connection.send(head + body + writer.end())
        else:
            connection.send_file(head + body, file.descriptor, file.offset, file.count)


def _blocks(file: FileRange) -> Iterator[bytes]:
    """The stretch, as far as the file still has it."""
    left, offset = file.count, file.offset
    while left > 0 and (block := os.pread(file.descriptor, min(left, _BLOCK_BYTES), offset)):
        left -= len(block)
        offset += len(block)
        yield block
