"""Client of an OpenAI-compatible Images API. The only room that imports httpx.

Other rooms call `client.ImagesClient`, run its calls through `retry.retry`, and parse kept bodies with `response`.
"""
