"""The job in Slack: an accepted request waits for its place, is answered in its thread once, and completed later."""
