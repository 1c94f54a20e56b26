"""A long line: ``python -m bench._delay_proxy TARGET_PORT DELAY_S`` prints its port and passes bytes on, later.

Every byte arrives ``DELAY_S`` after it was sent, whatever comes behind it: a delay, not a narrow line.
"""

from __future__ import annotations

import asyncio
import socket
import sys


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    loop = asyncio.get_running_loop()
    due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        chunk = b"-"
        while chunk:
            moment, chunk = await due.get()
            await asyncio.sleep(moment - loop.time())
            writer.write(chunk)
        writer.close()

    delivering = asyncio.create_task(deliver())
    chunk = b"-"
    while chunk:
        try:
            chunk = await reader.read(256 * 1024)
        except OSError:
            chunk = b""
        due.put_nowait((loop.time() + delay_s, chunk))
    await delivering


async def _serve(target: int, delay_s: float) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target, limit=1 << 20)
        for one in (writer, far_writer):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(
            _pass_on(reader, far_writer, delay_s), _pass_on(far_reader, writer, delay_s), return_exceptions=True
        )

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=512, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
