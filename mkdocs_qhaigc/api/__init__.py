"""The Images API client: transport, requests, responses, retry, download, SSRF guard."""
