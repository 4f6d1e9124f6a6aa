"""The findings: one file each, every one silent without a change between the two traces."""
