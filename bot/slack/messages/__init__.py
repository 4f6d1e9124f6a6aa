"""What the answer looks like: a `Comparison` becomes messages, one noun per file. Pure.

root.py      the announcement and the verdict: one line each for what, why and how sure
thread.py    the replies under it:
  spans.py     the table of the spans that changed most
  picture.py   both requests on one time axis, and that in words
  changes.py   what else changed, what weakens the answer
  steps.py     what to do next
  foot.py      was it useful, and the full report
evidence.py  what logs and metrics say, when they have answered
windows.py   all of that for two windows of requests
private.py   an answer for one person alone, in one message
details.py   every cause, its evidence and its spans, in a modal
report.py    the full report, as files or as text
"""

from bot.slack.messages import windows
from bot.slack.messages.asked import Asked
from bot.slack.messages.evidence import evidence
from bot.slack.messages.picture import caption, has_picture, picture
from bot.slack.messages.private import private
from bot.slack.messages.root import SWAP, TYPICAL, comparing, notification, verdict
from bot.slack.messages.thread import thread

__all__ = [
    "SWAP", "TYPICAL", "Asked", "caption", "comparing", "evidence", "has_picture", "notification", "picture", "private",
    "thread", "verdict", "windows",
]  # fmt: skip
