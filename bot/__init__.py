"""Compare Traces in Slack: receives requests, fetches traces, runs the engine, posts the answer."""
