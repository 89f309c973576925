"""An inbox on several devices: told once, also through a kill, and read on all of them at once."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.acceptance.product import Product, User, running_product
from tests.server.gateway.client import LiveClient


async def command(client: LiveClient, stream: str, kind: str, data: dict[str, Any]) -> Any:
    answer = await client.command(stream, kind, data, str(uuid.uuid4()))
    assert "cursor" in answer, answer
    return answer


async def a_device(product: Product, user: User) -> LiveClient:
    """A connection that follows its person's own stream, which is there before its first entry."""
    client = await LiveClient.connect(product.url, user.token)
    answer = await client.join(f"user/{user.id}")
    assert "cursor" in answer, answer
    return client


def kinds(client: LiveClient, user: User) -> list[str]:
    return [event["kind"] for entry in client.entries(f"user/{user.id}") for event in entry["events"]]


async def unread(product: Product, user: User) -> int:
    answer = await product.ask("GET", f"/v1/users/{user.id}/notifications", user)
    assert answer.status == 200, answer
    count: int = answer.body["unread"]
    return count


async def test_told_once_and_read_everywhere(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data") as product:
        ada, bob = await product.register("ada"), await product.register("bob_b")
        project = f"project/{(await product.create_project(ada))['id']}"
        author = await LiveClient.connect(product.url, ada.token)
        await command(author, project, "AddMember", {"userId": bob.id, "role": "member"})
        phone, laptop = await a_device(product, bob), await a_device(product, bob)
        for number in range(3):
            await command(author, project, "CreateTask", {"title": f"Task {number}", "assigneeIds": [bob.id]})
        for device in (phone, laptop):
            await device.until(lambda device=device: kinds(device, bob).count("Notified") == 3)  # type: ignore[misc]
        assert await unread(product, bob) == 3
        await command(phone, f"user/{bob.id}", "MarkRead", {"upTo": 2})
        await laptop.until(lambda: "NotificationsRead" in kinds(laptop, bob))
        assert await unread(product, bob) == 1
        refused = await author.command(f"user/{bob.id}", "MarkRead", {}, str(uuid.uuid4()))
        assert refused["error"]["code"] == "not_found"
        assert (await author.join(f"user/{bob.id}"))["error"]["code"] == "not_found"
        for client in (author, phone, laptop):
            await client.close()
        product.kill()
    async with running_product(tmp_path / "data") as product:
        bob = await product.login("bob_b")
        assert await unread(product, bob) == 1
        again = await a_device(product, bob)
        await again.until(lambda: bool(again.of("snapshot")))
        [counters] = [part["state"]["counters"] for part in again.of("snapshot") if "counters" in part["state"]]
        assert counters == {"count": 3, "readUpTo": 2}
        await again.close()


async def test_whoever_works_on_a_task_is_told_the_day_before_it_is_due(tmp_path: Path) -> None:
    """The timer is in the table before the kill or set from the log after it; either way it fires once."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    async with running_product(tmp_path / "data") as product:
        ada = await product.register("ada")
        project = f"project/{(await product.create_project(ada))['id']}"
        author = await LiveClient.connect(product.url, ada.token)
        await command(author, project, "CreateTask", {"title": "Report", "dueDate": tomorrow, "assigneeIds": [ada.id]})
        await author.close()
        product.kill()
    async with running_product(tmp_path / "data") as product:
        ada = await product.login("ada")
        device = await a_device(product, ada)
        await device.until(lambda: "dueSoon" in reasons(device, ada))
        assert reasons(device, ada) == ["dueSoon"]
        assert await unread(product, ada) == 1
        await device.close()


def reasons(client: LiveClient, user: User) -> list[str]:
    """Why the person was told, of everything that came after the join or stood in its snapshot."""
    stood = [one for part in client.of("snapshot") for one in part["state"].get("notifications", ())]
    events = [event for entry in client.entries(f"user/{user.id}") for event in entry["events"]]
    told = [event["data"]["notification"] for event in events if event["kind"] == "Notified"]
    return [reason for notification in (*stood, *told) for reason in notification["reasons"]]
