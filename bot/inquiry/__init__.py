"""From a request to its result, whoever asked: find and fetch what it is about, compare it in a child process."""
