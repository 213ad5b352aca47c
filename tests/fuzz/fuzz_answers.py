"""Feeds mutated answers and images to what reads them: a result, or an error of ours, and nothing else.

`python tests/fuzz/fuzz_answers.py --inputs 100000`
"""

from __future__ import annotations

import argparse
import collections
import io
import json
import random
import sys
import time
import traceback
import warnings
from collections.abc import Callable

from PIL import Image, ImageDraw

from mkdocs_qhaigc.api.response import read_answers, read_error
from mkdocs_qhaigc.errors import QhaigcError
from mkdocs_qhaigc.imaging.encode import encode_all
from mkdocs_qhaigc.imaging.inspect_image import inspect
from mkdocs_qhaigc.imaging.plan_published_files import RenditionSpec

SLOWEST = 5.0
"""Seconds: an input that takes longer is a finding."""
_TOKENS = [
    *(b'{"', b'"}', b"[" * 2000, b"null", b"true", b"1e999", b"-1", b"\\ud800", b"\xff", b"\0", b"data:", b";base64,"),
    *(b"http://[", b"//", b"::1", b"\r\n", b"9" * 5000, b'"error"', b'"data"', b'"url"', b'"b64_json"', b'"code"'),
    *(b"IHDR", b"IDAT", b"acTL", b"VP8X", b"ANIM", b"EXIF", b"XMP ", b"\xff\xd8", b"\xff\xe1", b"ftypavif", b"iloc"),
]


def answers() -> list[bytes]:
    encoded = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    return [
        json.dumps(value).encode()
        for value in (
            {"created": 1, "data": [{"url": "https://files.example.com/a.webp?sig=1", "revised_prompt": "a tower"}]},
            {"created": 1, "data": [{"b64_json": encoded, "url": None}, {"url": "/files/a.png"}]},
            {"data": [{"url": f"data:image/png;base64,{encoded}"}]},
            {"data": [{"b64_json": f"data:image/png;base64,{encoded}"}]},
            {"error": {"message": "no", "type": "invalid_request_error", "code": "insufficient_quota", "param": None}},
            {"error": {"message": "no", "code": 429, "param": "response_format"}},
            {"task_id": "1", "data": {"task_id": "2"}},
            {"code": "500", "msg": "busy"},
        )
    ]


def images() -> list[bytes]:
    image = Image.new("RGB", (48, 27), "navy")
    ImageDraw.Draw(image).ellipse((5, 5, 40, 20), fill="gold")
    found = []
    for format_ in ("PNG", "JPEG", "WEBP", "AVIF"):
        for mode in ("RGB", "RGBA", "L", "P", "CMYK", "1", "I;16"):
            target = io.BytesIO()
            try:
                exif = Image.Exif()
                exif[0x0112] = 6
                image.convert(mode).save(target, format_, exif=exif)
            except (OSError, ValueError):
                continue
            found.append(target.getvalue())
    return found


def mutated(dice: random.Random, seed: bytes, others: list[bytes]) -> bytes:
    data = bytearray(seed)
    for _ in range(dice.choice((1, 1, 1, 2, 4, 16))):
        at = dice.randrange(len(data) + 1)
        what = dice.randrange(7)
        if what == 0 and data:
            data[at % len(data)] = dice.randrange(256)
        elif what == 1 and data:
            data[at % len(data)] ^= 1 << dice.randrange(8)
        elif what == 2:
            del data[at : at + dice.randint(1, 32)]
        elif what == 3:
            data[at:at] = dice.choice(_TOKENS)
        elif what == 4:
            data[at : at + 4] = dice.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\x01"))
        elif what == 5:
            other = dice.choice(others)
            start = dice.randrange(len(other))
            data[at:at] = other[start : start + dice.randint(1, 200)]
        else:
            data = data[:at]
    return bytes(data)


def read_answer(dice: random.Random, data: bytes) -> None:
    status = dice.choice((200, 200, 201, 202, 400, 401, 429, 451, 500, 502))
    media_type = dice.choice(("application/json", "text/html; charset=x", "", "\0"))
    if status >= 300:
        read_error(status, media_type, data).as_exception()
    else:
        for answer in read_answers(data, status=status, media_type=media_type, base_url="https://api.example.com/v1"):
            json.dumps([answer.url, answer.revised_prompt]).encode()


def read_image(dice: random.Random, data: bytes) -> None:
    info = inspect(data)
    if info.width * info.height > 1_000_000:
        return  # whole, but slow to encode thousands of
    width, height = max(1, info.width // 2), max(1, info.height // 2)
    for _ in encode_all(data, [RenditionSpec("key", dice.choice(("webp", "jpeg", "png")), width, height, 80)]):
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--inputs", type=int, default=100_000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=3, help="of the mutations (default: %(default)s)")
    arguments = parser.parse_args()
    warnings.simplefilter("error")  # as the tests do: a warning is a finding, too
    kinds: list[tuple[str, list[bytes], Callable[[random.Random, bytes], None]]] = [
        ("answers", answers(), read_answer),
        ("images", images(), read_image),
    ]
    findings = 0
    for kind, seeds, read in kinds:
        dice = random.Random(arguments.seed)
        outcomes: collections.Counter[str] = collections.Counter()
        slowest = 0.0
        for number in range(arguments.inputs // len(kinds)):
            data = mutated(dice, dice.choice(seeds), seeds)
            began = time.monotonic()
            try:
                read(dice, data)
                outcomes["read"] += 1
            except QhaigcError as error:
                outcomes[type(error).__name__] += 1
            except Exception as error:
                findings += 1
                outcomes[f"FINDING {type(error).__name__}"] += 1
                if outcomes[f"FINDING {type(error).__name__}"] == 1:
                    print(f"{kind} {number}: {data[:200]!r}")
                    traceback.print_exc(file=sys.stdout)
            taken = time.monotonic() - began
            slowest = max(slowest, taken)
            findings += taken > SLOWEST
        said = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
        print(f"{kind}: {sum(outcomes.values())} inputs: {said}; slowest {slowest:.2f} s")
    print(f"findings: {findings}")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
