"""Everything that knows Slack: what is listened to, how answers look, how they are delivered."""
