"""Facts that commands need from elsewhere."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Collection
from itertools import islice
from typing import Any

import pytest

from actors.project.projects import decide_create
from actors.project.state import ProjectState
from actors.runtime.actor import Context
from protocol.comments import AddComment, EditComment
from protocol.errors import ErrorCode, Rejection
from protocol.event import OPERATOR, Origin, Principal
from protocol.members import AddMember
from protocol.projects import CreateProject
from protocol.tasks import CreateTask
from server.enrich import Facts, key_candidates, key_stem, needs_facts
from storage.memory.accounts import MemoryAccounts
from storage.memory.project_keys import MemoryProjectKeys
from storage.ports import Account

USER = "018f0000-0000-7000-8000-000000000001"
NOBODY = "018f0000-0000-7000-8000-000000000009"
ADA = Principal(USER)
AT = "2026-01-01T00:00:00.000Z"


async def some_facts(existing: Collection[str] = ()) -> Facts:
    accounts = MemoryAccounts()
    await accounts.create(Account(USER, "ada", None, "", None, None, AT, AT))
    nobody_asks: Any = None
    return Facts(accounts, MemoryProjectKeys(existing.__contains__), nobody_asks, nobody_asks, nobody_asks)


def a_stream() -> str:
    return f"project/{uuid.uuid4()}"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Apollo", "APOLLO"),
        ("Apollonius", "APOLLO"),
        ("My new project", "MNP"),
        ("Größe", "GROSSE"),
        ("Café society", "CS"),
        ("3D printing", "PPROJ"),
        ("2024", "PROJ"),
        ("火", "PROJ"),
        ("X", "XPROJ"),
        ("O'Neil", "ONEIL"),
    ],
)
def test_a_key_is_made_of_the_name(name: str, stem: str) -> None:
    assert key_stem(name) == stem


@pytest.mark.parametrize("name", ["Apollo", "", "ÄÖÜ", "1 2 3", "a" * 200, "\U0001f600 b"])
def test_every_candidate_is_a_key(name: str) -> None:
    for key in islice(key_candidates(name), 40):
        assert re.fullmatch(r"[A-Z][A-Z0-9]{1,9}", key), key


async def test_projects_of_one_name_get_different_keys() -> None:
    facts = await some_facts()
    found = await asyncio.gather(*(facts.facts_for(CreateProject(name="Test"), a_stream(), ADA) for _ in range(50)))
    keys = {one["projectKey"] for one in found if not isinstance(one, Rejection)}
    assert len(keys) == 50


async def test_a_retry_gets_the_key_that_the_project_has() -> None:
    facts, stream = await some_facts(), a_stream()
    first = await facts.facts_for(CreateProject(name="Apollo"), stream, ADA)
    assert first == await facts.facts_for(CreateProject(name="Gemini"), stream, ADA)


async def test_a_second_attempt_gets_the_key_that_it_asks_for_unless_the_project_exists() -> None:
    existing: set[str] = set()
    facts, stream = await some_facts(existing), a_stream()
    assert await facts.facts_for(CreateProject(name="Apollo"), stream, ADA) == {"projectKey": "APOLLO"}
    assert await facts.facts_for(CreateProject(name="Apollo", key="GEM"), stream, ADA) == {"projectKey": "GEM"}
    existing.add(stream.partition("/")[2])
    assert await facts.facts_for(CreateProject(name="Apollo", key="NEW"), stream, ADA) == {"projectKey": "GEM"}
    assert await facts.facts_for(CreateProject(name="Other", key="NEW"), a_stream(), ADA) == {"projectKey": "NEW"}


@pytest.mark.parametrize(
    ("principal", "owner_id", "origin", "code"),
    [
        (Principal(USER), None, Origin(author="external:github:ada", at=AT), "rule_broken"),
        (Principal(USER), NOBODY, None, "forbidden"),
        (OPERATOR, None, None, "rule_broken"),
        (OPERATOR, NOBODY, None, "rule_broken"),
    ],
    ids=["origin", "foreign owner", "operator without owner", "unknown owner"],
)
async def test_what_the_actor_will_refuse_claims_no_key(
    principal: Principal, owner_id: str | None, origin: Origin | None, code: str
) -> None:
    facts, stream = await some_facts(), a_stream()
    command = CreateProject(name="Apollo", key="APO")
    if owner_id is not None:
        command = CreateProject(name="Apollo", key="APO", owner_id=owner_id)
    found = await facts.facts_for(command, stream, principal, origin)
    assert not isinstance(found, Rejection)
    assert "projectKey" not in found
    context = Context(AT, str(uuid.uuid4()), principal, lambda: str(uuid.uuid4()), origin, facts=found)
    refused = decide_create(ProjectState(stream.partition("/")[2]), command, context)
    assert isinstance(refused, Rejection)
    assert refused.code == code
    assert await facts.facts_for(CreateProject(name="Other", key="APO"), a_stream(), ADA) == {"projectKey": "APO"}


async def test_a_given_key_that_is_another_projects_is_refused() -> None:
    facts = await some_facts()
    await facts.facts_for(CreateProject(name="Apollo", key="APO"), a_stream(), ADA)
    refused = await facts.facts_for(CreateProject(name="Other", key="APO"), a_stream(), ADA)
    assert isinstance(refused, Rejection)
    assert refused.code is ErrorCode.ALREADY_EXISTS


async def test_names_in_a_text_are_resolved_once_each_in_their_order() -> None:
    accounts = MemoryAccounts()
    for number, name in enumerate(("Ada", "bob.", "bob")):
        await accounts.create(Account(f"{USER[:-1]}{number}", name, None, "", None, None, AT, AT))
    nobody_asks: Any = None
    facts = Facts(accounts, MemoryProjectKeys(), nobody_asks, nobody_asks, nobody_asks)
    ada, dotted, bob = (f"{USER[:-1]}{number}" for number in range(3))
    body = "@bob. Or @nobody, @ADA, @ada and @bob"
    for command in (AddComment(task_id=USER, body=body), EditComment(comment_id=USER, body=body)):
        found = await facts.facts_for(command, a_stream(), Principal(USER))
        assert found == {"mentionedIds": [[dotted, bob], [ada], [bob]]}
    many = AddComment(task_id=USER, body=" ".join(f"@user{number}" for number in range(51)))
    assert await facts.facts_for(many, a_stream(), Principal(USER)) == {"tooManyMentions": True}


@pytest.mark.parametrize(
    ("body", "origin"),
    [("no names", None), ("`@ada`", None), ("@ada", Origin(author="external:github:ada", at=AT))],
)
async def test_no_account_is_asked_for_where_nobody_is_mentioned(body: str, origin: Origin | None) -> None:
    command = AddComment(task_id=USER, body=body)
    assert await (await some_facts()).facts_for(command, a_stream(), ADA, origin) == {}
    assert needs_facts(command, origin) == (body == "`@ada`")


async def test_users_are_looked_up_and_nothing_else_is() -> None:
    facts, stream = await some_facts(), a_stream()
    assert await facts.facts_for(AddMember(user_id=USER, role="member"), stream, ADA) == {"userExists": True}
    nobody = str(uuid.uuid4())
    assert await facts.facts_for(AddMember(user_id=nobody, role="member"), stream, ADA) == {"userExists": False}
    assert await facts.facts_for(CreateTask(title="x"), stream, ADA) == {}
    owned = await facts.facts_for(CreateProject(name="Apollo", owner_id=USER), stream, OPERATOR)
    assert owned == {"projectKey": "APOLLO", "userExists": True}
