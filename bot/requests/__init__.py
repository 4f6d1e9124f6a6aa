"""What people ask, as plain values: from words, links, times and alerts to a request. Pure: nothing is fetched here."""
