"""What can be typed: the commands of the bot, their options, and their help."""

from __future__ import annotations

import argparse

import analysis
from bot.cli import completion

PORT = 8090  # of the playground
MCP_EXTRA = "compare-traces[mcp]"
MCP_PORT = 3002

EXAMPLES = """\
examples:
  compare-traces-bot playground
      everything in a browser, with recorded traces: no Slack workspace, no trace backend
  JAEGER_URL=http://jaeger-query:16686 compare-traces-bot compare 00f067aa0ba902b7
      find a typical request of the same operation in Jaeger and compare with that
  compare-traces-bot compare service=checkout last 30m vs before
      compare the requests of two windows of time
  compare-traces-bot check && compare-traces-bot run
      what is wrong and how to mend it; then serve the workspace
  eval "$(compare-traces-bot completion bash)"
      let the shell complete both commands (also zsh, fish, tcsh)

Settings are environment variables, and the TOML file that COMPARE_TRACES_CONFIG names;
`compare-traces-bot settings` lists them all. Two files are compared by `compare-traces A B`.

exit status:
  0    done
  1    check found a problem, or compare got no answer: standard error says which
  2    bad input or settings; standard error says what, and what to do
  130  interrupted
"""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="compare-traces-bot",
        description="A Slack bot that compares two distributed traces: serve a workspace, check it, or try it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {analysis.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="serve a workspace")
    run.add_argument("--mode", choices=("http", "socket"), help="default: socket with SLACK_APP_TOKEN, else http")
    commands.add_parser("worker", help="answer what other processes accept (needs REDIS_URL)")
    commands.add_parser("check", help="check settings, Slack token and every source")
    forget = commands.add_parser("forget", help="delete what is kept; says first what that is")
    forget.add_argument("--channel", default="", metavar="C...", help="what was asked and answered in a channel")
    forget.add_argument("--user", default="", metavar="U...", help="what somebody asked, and their votes")
    forget.add_argument("--team", default="", metavar="T...", help="everything of a workspace")
    forget.add_argument("--before", metavar="DAY", help="what is older (2026-01-31); narrows the others down")
    forget.add_argument("--all", action="store_true", help="everything")
    forget.add_argument("--yes", action="store_true", help="do it; without, it is only counted")
    compare = commands.add_parser(
        "compare", help="compare two traces, or two windows, of the configured sources in the terminal"
    )
    compare.add_argument(
        "traces", nargs="+", metavar="TRACE", help="ids or links: the healthy trace and the one to explain; or it alone"
    )
    compare.add_argument("--source", default="", help="the source to ask")
    compare.add_argument(
        "--logs-and-metrics",
        action="store_true",
        help="also say what the configured logs and metrics say of the causes",
    )
    form = compare.add_mutually_exclusive_group()
    for name, what in (("json", "the whole comparison, for programs"), ("markdown", "the whole report")):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, default="text", help=what)
    models = commands.add_parser("mcp", help=f"serve models over the Model Context Protocol (needs {MCP_EXTRA})")
    models.add_argument("--http", action="store_true", help="over HTTP on this machine, instead of standard input")
    models.add_argument("--port", type=int, default=MCP_PORT, help="port of --http (default %(default)s; 0: any)")
    playground = commands.add_parser("playground", help="try everything in a browser, without a workspace")
    playground.add_argument("--port", type=int, default=PORT, help="port of the page (default %(default)s; 0: any)")
    playground.add_argument("--cli", action="store_true", help="print the first comparison in the terminal and end")
    commands.add_parser("settings", help="print every setting, as Markdown")
    shell = commands.add_parser("completion", help="print what makes a shell complete both commands")
    shell.add_argument("shell", choices=completion.SHELLS)
    return parser
