"""The command line: two files in, the answer out; bad input is one line and status 2."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from analysis import compare
from analysis.__main__ import main

ROOT = Path(__file__).parents[2]


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


@pytest.fixture
def recent(samples, tmp_path):
    """Write a folder of nine traces of the operation of `files`."""
    folder = tmp_path / "recent"
    folder.mkdir()
    found = next(s.baseline for s in samples.pairs if s.name == "slow-query")
    body = samples.jaeger(found).decode()
    for i in range(9):
        (folder / f"{i}.json").write_text(body.replace(found, f"{i + 1:032x}"))
    return folder


def test_a_population_is_read_from_a_folder(files, recent, capsys) -> None:
    """--population takes a folder of traces."""
    assert main([*files, "--population", str(recent), "--json"]) == 0
    reasons = json.loads(capsys.readouterr().out)["verdict"]["reasons"]
    assert any("9 recent traces" in reason for reason in reasons)


def test_a_terminal_sees_how_far_the_reading_is(files, recent, monkeypatch, capsys) -> None:
    """Progress is told on standard error, where that is a terminal, and is gone when it ends."""
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main([*files, "--population", str(recent)]) == 0
    told = terminal.getvalue().split("\r")
    assert told[1].strip() == "reading population: 0 % of 9 files"
    assert told[9].strip() == "reading population: 88 % of 9 files"
    assert told[-2:] == [" " * 60, ""]
    assert "reading" not in capsys.readouterr().out


def test_progress_over_many_files_is_told_when_it_changes(files, recent, monkeypatch) -> None:
    """A terminal is not written to for every file: a percentage is shown once."""
    for file in sorted(recent.iterdir()):
        for copy in range(15):
            (recent / f"{copy}-{file.name}").hardlink_to(file)
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main([*files, "--population", str(recent)]) == 0
    told = terminal.getvalue().split("\r")[1:-2]
    assert told[-1].strip() == f"reading population: 99 % of {9 * 16} files"
    assert len(told) == len(set(told)) == 100


def test_a_reader_that_leaves_is_no_error(files) -> None:
    """What comes after the lines that `| head` wanted is not written, and nothing is said about that."""
    command = [sys.executable, "-m", "analysis", *files]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


def test_the_help_shows_examples_and_every_exit_status(capsys) -> None:
    """Whoever asks for help sees what to type, and what the status means."""
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert "examples:" in out
    assert all(f"\n  {status} " in out for status in (0, 2, 130))


def test_an_interruption_is_status_130(files, tmp_path) -> None:
    """Ctrl-C while a trace is read ends quietly."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "analysis", str(pipe), files[1]]
    # A program started in the background of a shell ignores interruptions, and what it starts does as well.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        started = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, inherited)
    with started as process:
        with pipe.open("wb"):  # opens as soon as the other end does
            process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read() == ""


def test_broken_files_of_a_population_are_counted_and_skipped(files, recent, capsys) -> None:
    """A file that is no trace costs its own trace only; how many were skipped and what was wrong is said."""
    (recent / "bad.json").write_text("{}")
    (recent / "cut.json.gz").write_bytes(gzip.compress(b"{}" * 500)[:20])
    (recent / "garbled.json.gz").write_bytes(b"\x1f\x8b\x08\x00" + b"\xff" * 40)
    assert main([*files, "--population", str(recent)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "3 files could not be read, the first bad.json" in said
    assert "9 recent traces" in said


def test_traces_of_other_operations_in_a_population_are_counted(files, recent, samples, capsys) -> None:
    """What was given and not used is said."""
    other = next(s.baseline for s in samples.pairs if s.name == "lost-parallelism")
    (recent / "other.json").write_bytes(samples.jaeger(other))
    assert main([*files, "--population", str(recent)]) == 0
    assert "1 of 10 traces left out" in " ".join(capsys.readouterr().out.split())


def test_a_population_without_any_trace_is_an_error(files, tmp_path, capsys) -> None:
    """A wrong path, an empty folder and a folder of broken files each are one line and status 2."""
    folder = tmp_path / "empty"
    folder.mkdir()
    assert main([*files, "--population", str(tmp_path / "none")]) == 2
    assert main([*files, "--population", str(folder)]) == 2
    (folder / "bad.json").write_text("<html>")
    assert main([*files, "--population", str(folder)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert "cannot read" in said[0]
    assert "no trace in 0 files" in said[1]
    assert "bad.json" in said[2]


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
    capsys.readouterr()
    assert main([f"{file}#{'f' * 32}", str(file)]) == 2
    assert f"no trace {'f' * 32} in this file" in capsys.readouterr().err


@pytest.fixture
def windows(samples, tmp_path):
    """Write two folders of traces, each with something that is no trace."""
    from bench.simulate.pairs import healthy_traces
    from bench.simulate.wire import jaeger_json

    for name, traces in (("before", healthy_traces(3, 24)[:12]), ("after", healthy_traces(3, 24)[12:])):
        (tmp_path / name).mkdir()
        for number, trace in enumerate(traces):
            (tmp_path / name / f"{number}.json").write_bytes(jaeger_json(trace))
        (tmp_path / name / "notes.txt").write_text("not a trace")
    return str(tmp_path / "before"), str(tmp_path / "after")


def test_two_folders_are_compared_as_windows(windows, capsys) -> None:
    """--fleet says what two windows come to, in text and JSON, and which files it could not read."""
    assert main(["--fleet", *windows]) == 0
    out = capsys.readouterr().out
    assert "12 traces of A against 12 of B" in " ".join(out.split())
    assert "window B: 1 file could not be read, the first notes.txt" in out
    assert max(map(len, out.splitlines())) <= 120
    assert main(["--fleet", *windows, "--markdown"]) == 0
    assert "# " in capsys.readouterr().out[:2]
    assert main(["--fleet", *windows, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["baseline"]["traces"], found["suspect"]["traces"]) == (12, 12)


def test_windows_that_cannot_be_read_are_one_line_and_status_2(windows, tmp_path, capsys) -> None:
    """A folder that is not there or holds no trace is said; so is an option that means nothing for windows."""
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["--fleet", windows[0], str(empty)]) == 2
    assert "window B: no trace in 0 files" in capsys.readouterr().err
    assert main(["--fleet", windows[0], str(tmp_path / "none")]) == 2
    assert "cannot read" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["--fleet", *windows, "--png", "x.png"])
    assert stopped.value.code == 2
