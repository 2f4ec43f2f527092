"""The parts of writing: checksums of pieces, threads that share the work, payloads opened in their middle."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert import ConvertError
from convert.checkpoint import latin1
from convert.checkpoint.payload import FileSpan, JoinedPayload, MemoryBytes, TextSpan
from convert.checkpoint.source import SourceFile
from convert.write.crc import combine_crcs
from convert.write.workers import Workers


@given(st.binary(), st.binary())
def test_the_crc_of_two_texts_follows_from_the_crcs_of_both(one, two):
    assert combine_crcs(zlib.crc32(one), zlib.crc32(two), len(two)) == zlib.crc32(one + two)


def test_the_crc_of_a_long_text_is_combined_from_its_pieces():
    text = np.random.default_rng(0).bytes(1_000_003)
    crc = 0
    for start in range(0, len(text), 65_536):
        piece = text[start : start + 65_536]
        crc = combine_crcs(crc, zlib.crc32(piece), len(piece))
    assert crc == zlib.crc32(text)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_first_error_of_a_job_stops_the_rest_and_is_raised(threads):
    done = []

    def fail(_):
        raise ConvertError("the third job")

    jobs = [*[lambda _: done.append(1)] * 2, fail, *[lambda _: done.append(2)] * 10_000]
    with pytest.raises(ConvertError, match="the third job"):
        Workers(threads).run(jobs)
    assert len(done) < 10_002


def test_the_buffers_of_a_thread_are_used_again():
    seen = []
    Workers(1).run([lambda space, n=n: seen.append(space.buffer("block", n).obj) for n in (100, 50, 100)])
    assert seen[0] is seen[1] is seen[2]


@pytest.fixture(scope="module")
def payloads(tmp_path_factory):
    """The same bytes in every kind of payload."""
    data = np.random.default_rng(0).bytes(700_001)
    text = data.decode("latin-1").encode("utf-8")
    path = tmp_path_factory.mktemp("payloads") / "file"
    path.write_bytes(b"head" + data + text)
    source = SourceFile(path)
    half = FileSpan(source, 4, 300_000)
    rest = FileSpan(source, 300_004, len(data) - 300_000)
    kinds = {
        "file": FileSpan(source, 4, len(data)),
        "text": TextSpan(source, 4 + len(data), len(text), len(data)),
        "memory": MemoryBytes(data),
        "joined": JoinedPayload([half, MemoryBytes(b""), rest]),
    }
    yield data, kinds
    source.close()


@pytest.mark.parametrize("start", [0, 1, 299_999, 300_000, 349_000, 700_000, 700_001])
@pytest.mark.parametrize("kind", ["file", "text", "memory", "joined"])
def test_a_payload_opens_at_any_byte(payloads, kind, start):
    data, kinds = payloads
    reader = kinds[kind].open(start)
    found = bytearray(len(data) - start)
    reader.read_into([memoryview(found)[:1000], memoryview(found)[1000:]])
    reader.finish()
    assert found == data[start:]


@pytest.mark.parametrize("damage", [b"\xc4\x80", b"\x80", b"\xc2", b"\xc2A", b"\xff", b"\xc3\xc3\x80"])
@pytest.mark.parametrize("at", [0, 5000, latin1.CHUNK - 1, latin1.CHUNK, 300_000])
def test_text_that_is_not_latin1_is_refused_wherever_the_damage_is(tmp_path, damage, at):
    text = b"a" * at + damage + b"b" * (300_000 - at)
    path = tmp_path / "file"
    path.write_bytes(text)
    with pytest.raises(ConvertError, match=r"not Latin-1 text|does not decode"):
        latin1.decode(text, "here")
    reader = TextSpan(SourceFile(path), 0, len(text), 300_001).open()
    with pytest.raises(ConvertError, match=r"not Latin-1 text|does not decode"):
        reader.read_into([memoryview(bytearray(300_001))])
