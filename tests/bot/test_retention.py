"""How long what was asked and answered is kept, what goes when somebody asks for it, and state of earlier versions."""

from __future__ import annotations

import asyncio
import sqlite3

import msgspec
import pytest
from answers import NOW, answered, result
from pydantic import SecretStr
from redis.asyncio import Redis
from world import CHANNEL, settings_for

from bot.__main__ import main
from bot.requests.request import Origin, Payload
from bot.settings import Retention
from bot.state import opening as state_module
from bot.state.forgetting import Selection, counted
from bot.state.ledger import SqliteLedger
from bot.state.memory import DAY_S, SqliteMemory
from bot.state.opening import State, keep_tidy, open_state
from bot.state.results import Feedback, SqliteResults
from bot.state.state_file import VERSION, StateError, open_file

OTHER = "C0OTHER"

# What the first version of the state file looked like, with one answered request in it.
FIRST = """
CREATE TABLE requests (
    key TEXT PRIMARY KEY, question TEXT NOT NULL, payload BLOB NOT NULL, state TEXT NOT NULL,
    root_ts TEXT NOT NULL DEFAULT '', channel TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    accepted_at REAL NOT NULL, changed_at REAL NOT NULL
);
CREATE TABLE alerts (name TEXT PRIMARY KEY, key TEXT NOT NULL, seen_at REAL NOT NULL);
CREATE INDEX requests_question ON requests (question, accepted_at);
CREATE INDEX requests_channel ON requests (channel, accepted_at);
CREATE INDEX requests_state ON requests (state);
CREATE TABLE results (key TEXT PRIMARY KEY, user TEXT NOT NULL, made_at REAL NOT NULL, body BLOB NOT NULL);
CREATE INDEX results_made_at ON results (made_at);
CREATE INDEX results_user ON results (user, made_at);
CREATE TABLE feedback (
    key TEXT NOT NULL, user TEXT NOT NULL, useful INTEGER NOT NULL, given_at REAL NOT NULL, PRIMARY KEY (key, user)
);
INSERT INTO requests VALUES ('k1', 'q', x'7b7d', 'answered', '1.1', 'C0INCIDENT', 1, 1795000000, 1795000000);
INSERT INTO requests VALUES ('k2', 'q2', x'7b7d', 'posted', '1.2', 'C0INCIDENT', 1, 1795000000, 1795000000);
INSERT INTO feedback VALUES ('k1', 'U1', 1, 1795000000);
PRAGMA user_version=1;
"""


def of_first_version(file) -> None:
    """Write a state file as the first version did."""
    db = sqlite3.connect(file)
    db.executescript(FIRST)
    db.close()


async def test_a_file_of_the_version_before_opens_with_all_that_is_in_it(tmp_path) -> None:
    """Nothing is lost, what is new works, and it is of this version from then on."""
    file = tmp_path / "l.sqlite3"
    of_first_version(file)
    for _ in range(2):
        state = open_state(settings_for("http://x", file))
        assert [entry.key for entry in await state.ledger.recent(CHANNEL, 9)] == ["k1"]
        assert [entry.key for entry in await state.ledger.unfinished()] == ["k2"]
        assert await state.results.feedback("k1") == Feedback(useful=1)
        await state.memory.remember(answered("k1"))
        assert [its.key for its in await state.memory.seen("T1", "1-aa", 9)] == ["k1"]
        await state.aclose()
    db = sqlite3.connect(file)
    assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
    db.close()


def test_a_number_that_an_older_process_put_back_does_no_harm(tmp_path) -> None:
    """It may still have run when the file was migrated, and writes its own number to see whether it can write."""
    file = tmp_path / "l.sqlite3"
    of_first_version(file)
    for _ in range(2):
        db = open_file(file)
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
        db.execute("PRAGMA user_version=1")
        db.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch) -> None:
    """Half a migration is none: the version before can still use the file."""
    file = tmp_path / "l.sqlite3"
    of_first_version(file)
    monkeypatch.setattr(
        "bot.state.state_file.STEPS", ("", "CREATE TABLE answers (key TEXT); CREATE TABLE requests (key TEXT)")
    )
    with pytest.raises(sqlite3.Error, match="already exists"):
        open_file(file)
    db = sqlite3.connect(file)
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    assert db.execute("SELECT name FROM sqlite_master WHERE name = 'answers'").fetchall() == []
    db.close()


def test_a_file_of_a_later_version_is_refused_with_a_sentence(tmp_path) -> None:
    """Whoever goes back a version reads which it is and what to do."""
    file = tmp_path / "l.sqlite3"
    open_file(file).close()
    db = sqlite3.connect(file)
    db.execute(f"PRAGMA user_version={VERSION + 1}")
    db.close()
    with pytest.raises(StateError, match=r"written by a later version .* move it away"):
        open_file(file)


async def test_what_was_kept_long_enough_goes_by_itself(tmp_path) -> None:
    """Requests, results, votes and answers, each after its own time; what is not answered yet stays."""
    clock = [NOW]
    keep = Retention(history_days=10, results_days=5, votes_days=20, memory_days=40)
    file = tmp_path / "l.sqlite3"
    state = State(*(kind(file, lambda: clock[0], keep) for kind in (SqliteLedger, SqliteResults, SqliteMemory)))
    await fill(state)
    await state.ledger.accept("waiting", "q-waiting", CHANNEL, b"{}", 0)
    left = []
    for days in (4, 6, 11, 21, 41):
        clock[0] = NOW + days * DAY_S
        await state.tidy()
        left.append(counted(await state.selected(Selection(everything=True))))
    assert left == [
        "3 remembered answers, 3 requests, 3 results, 2 votes",
        "3 remembered answers, 3 requests, 2 votes",
        "3 remembered answers, 2 votes",
        "3 remembered answers",
        "nothing",
    ]
    assert [entry.key for entry in await state.ledger.unfinished()] == ["waiting"]
    await state.aclose()


async def test_tidying_begins_at_the_start_and_survives_a_failure(monkeypatch) -> None:
    """A file that cannot be written once is tried again."""
    tried = []
    done = asyncio.Event()

    class Stubborn:
        async def tidy(self) -> None:
            tried.append(len(tried))
            if len(tried) == 1:
                raise StateError("disk full")
            done.set()

    monkeypatch.setattr(state_module, "TIDY_S", 0.0)
    task = asyncio.create_task(keep_tidy(Stubborn()))
    await asyncio.wait_for(done.wait(), 10)
    task.cancel()
    assert tried[:2] == [0, 1]


async def fill(state: State) -> None:
    """Keep three answers: of two people, in two channels of one workspace, and one of another; and two votes."""
    for key, team, channel, user in (("k1", "T1", CHANNEL, "U1"), ("k2", "T1", OTHER, "U2"), ("k3", "T2", "C3", "U1")):
        origin = Origin(team=team, channel=channel, user=user, user_name="somebody")
        made = result(origin=origin)
        await state.ledger.accept(
            key, f"q-{key}", channel, msgspec.json.encode(Payload(request=made.request, origin=origin)), 0
        )
        await state.ledger.posted(key, "1.1")
        await state.ledger.ended(key, "answered")
        await state.results.keep(key, made)
        await state.memory.remember(answered(key, team=team, channel=channel, user=user))
    await state.results.rate("k1", "U2", useful=True)
    await state.results.rate("k2", "U2", useful=False)


@pytest.fixture(params=["file", "redis"])
async def state(request, tmp_path):
    """Return filled state, wherever it can be kept."""
    settings = settings_for("http://x", tmp_path / "l.sqlite3")
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        client = Redis.from_url(url)
        await client.flushdb()
        await client.aclose()
        settings = settings.model_copy(update={"redis_url": SecretStr(url)})
    made = open_state(settings)
    await fill(made)
    yield made
    await made.aclose()


FORGOTTEN = {
    "a channel": (Selection(channel=CHANNEL), {"k2", "k3"}, Feedback(not_useful=1)),
    "a person, with votes on others' answers": (Selection(user="U2"), {"k1", "k3"}, Feedback()),
    "a person in one workspace": (Selection(user="U1", team="T2"), {"k1", "k2"}, Feedback(useful=1, not_useful=1)),
    "a workspace": (Selection(team="T1"), {"k3"}, Feedback()),
    "what is older": (Selection(before=NOW * 2), set(), Feedback()),
    "nothing older": (Selection(before=1.0), {"k1", "k2", "k3"}, Feedback(useful=1, not_useful=1)),
    "everything": (Selection(everything=True), set(), Feedback()),
    "nothing said": (Selection(), {"k1", "k2", "k3"}, Feedback(useful=1, not_useful=1)),
}


@pytest.mark.parametrize("case", FORGOTTEN)
async def test_what_is_selected_goes_from_everywhere_and_the_rest_stays(state, case) -> None:
    """Requests, results, votes and memory alike; counting beforehand changes nothing."""
    selection, left, votes = FORGOTTEN[case]
    planned = counted(await state.selected(selection))
    assert await state.results.totals() == Feedback(useful=1, not_useful=1)
    assert counted(await state.forget(selection)) == planned
    keys = ("k1", "k2", "k3")
    assert {key for key in keys if await state.ledger.entry(key)} == left
    assert {key for key in keys if await state.results.load(key)} == left
    known = [*await state.memory.seen("T1", "1-aa", 9), *await state.memory.seen("T2", "1-aa", 9)]
    assert {its.key for its in known} == left
    assert await state.results.totals() == votes
    listed = {entry.key for channel in (CHANNEL, OTHER, "C3") for entry in await state.ledger.recent(channel, 9)}
    assert listed == left


async def test_what_waits_for_its_answer_is_not_forgotten(state) -> None:
    """It ends first."""
    await state.ledger.accept("k4", "q4", CHANNEL, b"{}", 0)
    await state.forget(Selection(everything=True))
    assert [entry.key for entry in await state.ledger.unfinished()] == ["k4"]


def test_the_command_counts_first_and_deletes_when_told(tmp_path, monkeypatch, capsys) -> None:
    """`forget` says what would go; with --yes it goes; without a selection it says what to say."""
    for name in ("COMPARE_TRACES_CONFIG", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "l.sqlite3"
    monkeypatch.setenv("STATE_FILE", str(file))

    async def prepare() -> None:
        made = open_state(settings_for("http://x", file))
        await fill(made)
        await made.aclose()

    asyncio.run(prepare())
    for _ in range(2):
        assert main(["forget", "--channel", CHANNEL]) == 0
        said = "would forget 1 remembered answer, 1 request, 1 result, 1 vote; say --yes to do it\n"
        assert capsys.readouterr().out == said
    assert main(["forget", "--channel", CHANNEL, "--yes"]) == 0
    assert capsys.readouterr().out == "forgotten: 1 remembered answer, 1 request, 1 result, 1 vote\n"
    assert main(["forget", "--channel", CHANNEL]) == 0
    assert capsys.readouterr().out == "would forget nothing; say --yes to do it\n"
    for wrong, why in ((["forget"], "say what to forget"), (["forget", "--before", "then"], "name a day")):
        assert main(wrong) == 2
        assert why in capsys.readouterr().err
