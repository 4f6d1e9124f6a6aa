"""The command line: two files in, the answer out; bad input is one line and status 2."""

from __future__ import annotations

import gzip
import io
import json
import sys
from types import SimpleNamespace

import pytest

from analysis import compare
from analysis.__main__ import main


@pytest.fixture
def files(samples, tmp_path):
    """Write a sample pair as files in different formats."""
    found = next(sample for sample in samples.pairs if sample.name == "slow-query")
    a, b = tmp_path / "a.json", tmp_path / "b.pb.gz"
    a.write_bytes(samples.jaeger(found.baseline))
    b.write_bytes(gzip.compress(samples.otlp(found.suspect)))
    return str(a), str(b)


def test_text_says_verdict_cause_and_next_steps(files, capsys) -> None:
    """Without options the answer is readable text."""
    assert main(files) == 0
    out = capsys.readouterr().out
    assert out.startswith("gateway POST /api/checkout is ")
    assert "Cause: SELECT in catalog" in out
    assert "Next steps" in out
    assert max(map(len, out.splitlines())) <= 120


def test_json_is_the_whole_comparison(files, capsys, samples) -> None:
    """--json prints exactly what Comparison.to_dict returns."""
    assert main([*files, "--json"]) == 0
    found = next(sample for sample in samples.pairs if sample.name == "slow-query")
    from analysis import decode

    expected = compare(decode(samples.jaeger(found.baseline)), decode(samples.otlp(found.suspect))).to_dict()
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(expected))


def test_markdown_is_a_report(files, capsys) -> None:
    """--markdown prints headings and tables."""
    assert main([*files, "--markdown"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("# ")
    assert "## Next steps" in out


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "empty"), (b"<html>", "HTML"), (b"{}", "no spans"), (b'{"data":[', "not Jaeger JSON")]
)
def test_bad_files_are_one_line_and_status_2(files, tmp_path, capsys, content, said) -> None:
    """What is wrong with which file is said on standard error, without a traceback."""
    bad = tmp_path / "bad.json"
    bad.write_bytes(content)
    assert main([files[0], str(bad)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "bad.json" in err
    assert said in err


def test_a_missing_file_and_a_folder_are_said(files, tmp_path, capsys) -> None:
    """Paths that cannot be read are named."""
    assert main([files[0], str(tmp_path / "none.json")]) == 2
    assert main([files[0], str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("cannot read") == 2


def test_a_population_is_read_from_a_folder(files, tmp_path, samples, capsys) -> None:
    """--population takes a folder of traces."""
    folder = tmp_path / "recent"
    folder.mkdir()
    body = samples.jaeger(next(s.baseline for s in samples.pairs if s.name == "slow-query"))
    for i in range(9):
        (folder / f"{i}.json").write_bytes(body)
    assert main([*files, "--population", str(folder), "--json"]) == 0
    reasons = json.loads(capsys.readouterr().out)["verdict"]["reasons"]
    assert any("9 recent traces" in reason for reason in reasons)


def test_standard_input_can_be_one_side(files, capsys, monkeypatch, samples) -> None:
    """A dash reads standard input."""
    body = samples.jaeger(next(s.baseline for s in samples.pairs if s.name == "slow-query"))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(body)))
    assert main(["-", files[1]]) == 0
    assert "slower" in capsys.readouterr().out


def test_one_trace_of_several_in_a_file(tmp_path, capsys, samples) -> None:
    """A file with several traces says how to pick one, and picking works."""
    found = next(sample for sample in samples.pairs if sample.name == "slow-query")
    both = {"data": [json.loads(samples.jaeger(i))["data"][0] for i in (found.baseline, found.suspect)]}
    file = tmp_path / "both.json"
    file.write_text(json.dumps(both))
    assert main([str(file), str(file)]) == 2
    assert f"#{found.baseline}" in capsys.readouterr().err
    assert main([f"{file}#{found.baseline}", f"{file}#{found.suspect}"]) == 0
