"""What the bot says of itself while it works: logs, metrics, traces."""
