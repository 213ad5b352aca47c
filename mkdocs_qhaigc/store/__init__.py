"""Images as they came from the API: committed pins, and this machine's cache."""
