"""Evidence beside the traces: what logs and metrics say about the named causes, in the time of the two requests.

    comparison -> question.py -> sources (I/O) -> facts.py -> weighing.py -> what the thread and the root message say

question.py    what to ask, and about whom: the causes' services, both ends, nothing else
queries.py     putting names into query languages, so that no name can change a query
span_metrics.py, prometheus.py    what Prometheus is asked, and what its answers say
windows.py, lines.py, patterns.py    when logs are looked at, what a line says, which errors and warnings are new
changes.py     what was deployed, or otherwise changed, between the two requests
loki.py, elasticsearch.py            what log stores are asked, and what their answers say
facts.py       what was found
sparkline.py   numbers over time in a line of text
weighing.py    how evidence changes the confidence of a verdict, and why
sources.py     the configured sources; the only part that asks anybody
"""
