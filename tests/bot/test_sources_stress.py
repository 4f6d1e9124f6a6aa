"""Sources under stress: backends that are down, slow, hostile or somebody else, on real connections."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import ssl
import tracemalloc
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest
import stamina
from aiohttp import web
from backends import CHECKOUT, Backend, code_of, fetch, sources, status
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from exchanges import exchange
from world import no_sleep, serve

from bot.settings import Limits, Settings, SourceSettings
from bot.sources import circuit, open_sources
from bot.sources.unpacking import PIECE_BYTES, TooMuchError, unpacked

PATH = f"/api/v2/traces/{CHECKOUT}"
TRACE = ("tempo", "v2-checkout-slow-pb")


@pytest.fixture(autouse=True)
def no_backoff():
    """Try again at once: how often is what counts here."""
    with stamina.set_testing(True, attempts=3):
        yield


def packed(body: bytes, coding: str = "gzip"):
    """Return a handler that answers with a body that says how it is packed."""

    async def answer(_: web.Request) -> web.Response:
        headers = {"Content-Encoding": coding, "Content-Type": "application/protobuf"}
        return web.Response(body=body, headers=headers)

    return answer


def its_circuit(opened) -> circuit.Circuit:
    """Return the circuit of the only source."""
    return opened.named("tempo")._source._http._circuit


async def test_only_what_was_asked_for_is_unpacked() -> None:
    """Gzip in gzip unpacks to as much as one likes out of a few bytes; other packings were not asked for either."""
    twice = gzip.compress(gzip.compress(b"x" * 50_000_000))
    for coding in ("gzip, gzip", "br", "deflate", "zstd"):
        backend = Backend()
        backend.on(PATH, packed(twice, coding))
        async with sources("tempo", backend) as opened:
            assert await code_of(opened) == "unreadable"
        assert len(backend.asked) == 1


async def test_packed_answers_are_read_whole_or_not_at_all() -> None:
    """Several streams one after the other are one answer; a stream that ends in the middle is a body cut off."""
    body = exchange(*TRACE).body
    backend = Backend()
    backend.on(PATH, packed(gzip.compress(body[:500]) + gzip.compress(body[500:])))
    async with sources("tempo", backend) as opened:
        assert (await fetch(opened)).body == body
    backend = Backend()
    backend.on(PATH, packed(gzip.compress(body)[:-200]))
    async with sources("tempo", backend) as opened:
        assert await code_of(opened) == "cut-off"
    assert len(backend.asked) == 3


async def test_what_unpacks_is_counted_as_it_comes_out() -> None:
    """A chunk of 20 KB that unpacks to 20 MB is given up at the limit: not much more than that is ever in memory."""
    chunk = gzip.compress(bytes(20_000_000))

    async def chunks():
        yield chunk

    tracemalloc.start()
    with pytest.raises(TooMuchError):
        await unpacked(chunks(), "gzip", 4 * PIECE_BYTES)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * PIECE_BYTES
    assert len(await unpacked(chunks(), "gzip", 20_000_000)) == 20_000_000


@asynccontextmanager
async def silent_backend():
    """Open a source whose backend takes connections and says nothing; yields both."""
    never = asyncio.Event()

    async def silent(_: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    backend = Backend()
    backend.on(PATH, silent)
    async with sources("tempo", backend, read_timeout_s=0.05) as opened:
        yield backend, opened
        never.set()


async def test_a_backend_that_says_nothing_meets_the_read_timeout() -> None:
    """Connected and silent: each try ends after the source's own time, long before the request's deadline."""
    async with silent_backend() as (backend, opened):
        assert await code_of(opened, deadline_s=30) == "timeout"
    assert len(backend.asked) == 3


async def test_a_source_that_fails_again_and_again_is_left_alone(lines) -> None:
    """After five questions in a row nobody waits for the next failure; later one goes through, and opens it for all."""
    backend = Backend()
    backend.on(PATH, status(503, "no storage", Retry_After="0"))
    async with sources("tempo", backend) as opened:
        its = its_circuit(opened)
        now = [1000.0]
        its._clock = lambda: now[0]
        for _ in range(circuit.FAILURES):
            assert await code_of(opened) == "broken"
        asked = len(backend.asked)
        assert await code_of(opened) == "resting"
        now[0] += circuit.REST_S
        results = await asyncio.gather(*(code_of(opened) for _ in range(4)))
        assert sorted(results) == ["broken", "resting", "resting", "resting"]
        assert len(backend.asked) == asked + 3
        backend.on(PATH, TRACE)
        assert await code_of(opened) == "resting"
        now[0] += circuit.REST_S
        assert (await fetch(opened)).body
        assert (await fetch(opened)).body
    events = [line["event"] for line in lines() if line["event"].startswith("source")]
    assert events == ["source left alone", "source answers again"]


async def test_a_source_that_does_not_answer_at_all_is_left_alone_sooner() -> None:
    """A timeout costs its whole time: after the two of one comparison the next one is told at once."""
    async with silent_backend() as (backend, opened):
        assert [await code_of(opened) for _ in range(circuit.TIMEOUTS)] == ["timeout"] * circuit.TIMEOUTS
        asked = len(backend.asked)
        assert await code_of(opened) == "resting"
        assert len(backend.asked) == asked


async def test_an_answer_between_failures_keeps_a_source_in_use() -> None:
    """A backend that fails now and then, or says "not found", is not left alone; nor is it for our own haste."""
    backend = Backend()
    backend.on(PATH, status(503, Retry_After="0"))
    backend.on("/api/v2/traces/" + "f" * 32, ("tempo", "v2-unknown-pb"))
    async with sources("tempo", backend) as opened:
        for _ in range(circuit.FAILURES + 1):
            assert await code_of(opened) == "broken"
            assert await code_of(opened, "f" * 32) == "trace-not-found"
        never = asyncio.Event()

        async def silent(_: web.Request) -> web.Response:
            await never.wait()
            return web.Response()

        backend.on(PATH, silent)
        for _ in range(circuit.FAILURES + 1):
            assert await code_of(opened, deadline_s=0.01) == "timeout"
        never.set()


async def test_one_source_that_is_down_takes_no_other_with_it() -> None:
    """Each source has a circuit of its own: the trace comes from the one that answers."""
    backend = Backend()
    backend.on(PATH, TRACE)
    down = SourceSettings(name="gone", kind="jaeger", url="http://127.0.0.1:9")
    async with sources("tempo", backend, more=(down,)) as opened:
        for _ in range(circuit.FAILURES):
            assert await code_of(opened, source="gone") == "unreachable"
        assert await code_of(opened, source="gone") == "resting"
        assert (await fetch(opened)).source == "tempo"


async def test_credentials_never_leave_their_host(monkeypatch) -> None:
    """Another host that a backend sends us on to is not asked at all, least of all with the token."""
    monkeypatch.setenv("TEMPO_TOKEN", "t0ken-of-tempo")
    elsewhere = Backend()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", elsewhere.answer)
    async with serve(app) as url:
        for code in (301, 302, 303, 307, 308):
            backend = Backend()
            backend.on(PATH, status(code, Location=f"{url}{PATH}"))
            async with sources("tempo", backend, bearer_env="TEMPO_TOKEN") as opened:
                assert await code_of(opened) == "redirected"
    assert elsewhere.asked == []


class Authority:
    """A certificate authority of the test."""

    def __init__(self, folder) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self.file = self._write("ca.pem", self._signed(self._name, self._key, authority=True))

    def _signed(self, name: x509.Name, key, *, authority: bool = False) -> bytes:
        now = dt.datetime.now(dt.UTC)
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = (
            x509.CertificateBuilder()
            .subject_name(name).issuer_name(self._name).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(issuer_id, critical=False)
            .sign(self._key, hashes.SHA256())
        )  # fmt: skip
        return made.public_bytes(serialization.Encoding.PEM)

    def _write(self, name: str, body: bytes):
        file = self._folder / name
        file.write_bytes(body)
        return file

    def issue(self, name: str):
        """Return the files of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return self._write(f"{name}.pem", self._signed(subject, key)), self._write(f"{name}.key", secret)


async def test_a_source_is_who_it_says_and_learns_who_we_are(tmp_path) -> None:
    """A certificate of an unknown authority is refused; a known one is taken, and our own is shown where it is wanted."""
    authority = Authority(tmp_path)
    server, client = authority.issue("server"), authority.issue("client")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.file))
    context.load_cert_chain(*server)
    context.verify_mode = ssl.CERT_REQUIRED
    backend = Backend()
    backend.on(PATH, TRACE)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", backend.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    ours = {"client_cert": client[0], "client_key": client[1]}
    asking = [(ours, None), ({"ca_file": authority.file}, None), ({"ca_file": authority.file, **ours}, "tempo")]
    try:
        for changes, answers in asking:
            settings = Settings.model_construct(
                sources=(SourceSettings(name="tempo", kind="tempo", url=url, **changes),), jaeger_url=None,
                tempo_url=None, channels={}, limits=Limits(missing_retry_s=0),
            )  # fmt: skip
            opened = open_sources(settings, no_sleep)
            if answers:
                assert (await fetch(opened)).source == answers
            else:
                assert await code_of(opened) == "unreachable"
            await opened.aclose()
    finally:
        await runner.cleanup()
    assert len(backend.asked) == 1


async def test_what_this_machine_trusts_is_read_once(tmp_path, monkeypatch) -> None:
    """However many sources there are; one with an authority of its own reads that, and nobody else trusts it."""
    read = []
    load = ssl.create_default_context

    def counted(**what):
        read.append(what.get("cafile"))
        return load(**what)

    monkeypatch.setattr(ssl, "create_default_context", counted)
    own = str(Authority(tmp_path).file)
    settings = Settings.model_construct(
        sources=tuple(
            SourceSettings(name=f"tempo{n}", kind="tempo", url="https://127.0.0.1:9", ca_file=own if n == 3 else None)
            for n in range(6)
        ), jaeger_url=None, tempo_url=None, channels={}, limits=Limits(missing_retry_s=0),
    )  # fmt: skip
    await open_sources(settings, no_sleep).aclose()
    assert read.count(own) == 1
    assert read.count(None) <= 1  # or before, by another test
