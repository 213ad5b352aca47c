"""The client of an OpenAI-compatible Images API, and the one owner of httpx."""
