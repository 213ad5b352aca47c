"""HTTP server on this machine that answers as the Images API does, and as strictly.

It costs nothing, needs no network and accepts any key: to try the plugin out, and to test it. Images are drawn, not
generated: on one machine the same request gives the same bytes (for Chinese words, fonts of the machine are used); the
index (of `n`), `seed` and the header `X-Qhaigc-Variant` vary them, other fields do not. A prompt that contains
`[refuse]` is answered with `content_policy_violation`, to see how a refusal looks. Reference images are taken as files
at `/images/edits` and as data URLs in the field `image`, each by the models that take them so at OpenAI and Volcengine
Ark; a drawing has their colours. On demand it delivers later: it answers with a task for each image, asked for at
`/tasks/ID`; with `[fail]` in the prompt, that ends as failed. The `/sandbox/` in every URL and the header
`X-Qhaigc-Sandbox` say that this is no real API.
"""

from mkdocs_qhaigc.sandbox.api import ReceivedRequest
from mkdocs_qhaigc.sandbox.server import Sandbox

__all__ = ["ReceivedRequest", "Sandbox"]
