"""`broadcast` of the websockets library on uvloop, without Socket.IO: `python websockets_broadcast.py PORT`."""

import asyncio
import sys

import uvloop
from websockets import ConnectionClosed
from websockets.asyncio.server import ServerConnection, broadcast, serve

followers: set[ServerConnection] = set()


async def connected(connection: ServerConnection) -> None:
    """`join` makes a follower; anything else goes to all of them."""
    try:
        async for message in connection:
            if message == "join":
                followers.add(connection)
            else:
                broadcast(followers, message)
    except ConnectionClosed:
        pass  # however it ended
    finally:
        followers.discard(connection)


async def main(port: int) -> None:
    async with serve(connected, "127.0.0.1", port, compression=None, backlog=4096):
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
