"""`pantherahive user create NAME`: an account. Its password comes by prompt, pipe or file, never in argv."""

from __future__ import annotations

import asyncio
import getpass
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from server.commands.calls import Door, calling
from server.exits import Exit, Refusal
from server.output import print_once

PASSWORD_BYTES_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class NewUser:
    """What was said of the account."""

    username: str
    email: str | None
    first_name: str | None
    last_name: str | None

    def request(self, password: str) -> dict[str, str]:
        """As the User API has it."""
        said = {
            "username": self.username,
            "password": password,
            "email": self.email,
            "firstName": self.first_name,
            "lastName": self.last_name,
        }
        return {name: value for name, value in said.items() if value is not None}


def create_user(door: Door, user: NewUser, password_file: Path | None, *, with_token: bool) -> int:
    """Prints the new account's id and name. Raises Refusal; KeyboardInterrupt at the prompt.

    Everybody may register, so it comes with no token but on request.
    """
    password = _password(user.username, password_file)
    made = asyncio.run(_register(door, user.request(password), with_token=with_token))
    print_once(f"{made['userId']}  {made['username']}", f"The account {made['username']} is made all the same.")
    return Exit.OK


async def _register(door: Door, request: dict[str, str], *, with_token: bool) -> Any:
    """Registration signs the person in; nobody is to be signed in here, so that log-in is ended."""
    async with calling(door, with_token=with_token) as calls:
        made = await calls.send("POST", "/v1/users/register", request)
        try:
            await calls.send("POST", "/v1/users/logout", {}, token=made["accessToken"])
        except Refusal as refusal:
            print(f"The account is made; its first log-in could not be ended and runs out. {refusal}", file=sys.stderr)
    return made


def _password(username: str, file: Path | None) -> str:
    """One line end at its end is not the password's. Raises Refusal."""
    if file is not None:
        return _line(_read(file), f"The password file {file}")
    if is_asked():
        return _asked(username)
    if sys.stdin is None:
        raise Refusal("stdin is closed: give the password on it, or with --password-file FILE.")
    return _line(sys.stdin.buffer.read(PASSWORD_BYTES_MAX + 1), "What came on stdin")


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(PASSWORD_BYTES_MAX + 1)
    except OSError as error:
        raise Refusal(f"The password file {file} cannot be read: {error.strerror}.") from error


def _line(content: bytes, where: str) -> str:
    if len(content) > PASSWORD_BYTES_MAX:
        raise Refusal(f"{where} is longer than any password.")
    try:
        password = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise Refusal(f"{where} is not UTF-8 text.") from error
    if not password:
        raise Refusal(f"{where} is empty: give the password on stdin, or with --password-file FILE.")
    return password


def is_asked() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty()


def _asked(username: str) -> str:
    password = getpass.getpass(f"Password for {username}: ")
    if getpass.getpass("Once more: ") != password:
        raise Refusal("The two passwords differ; nothing was made.")
    return password
