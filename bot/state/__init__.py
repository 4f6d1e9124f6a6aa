"""What is kept: requests, results, memory; in a file for one process, or in Redis for any number of them."""
