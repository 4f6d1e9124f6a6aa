"""What backends sent, kept for the next question: encrypted, bounded, for some minutes."""
