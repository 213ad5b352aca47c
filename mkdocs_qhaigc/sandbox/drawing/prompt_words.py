"""A prompt's words -> the motif, the light and the manner of its drawing. No pixels here.

A prompt is read for English and Chinese words; what it leaves open is decided by its SHA-256, so that
every prompt has one drawing and different prompts have different ones.
"""

from __future__ import annotations

import colorsys
import hashlib
import random
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mkdocs_qhaigc.sandbox.drawing.colours import Colour, luminance, mix, ramp

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Light:
    """The colours of one time of day or weather."""

    zenith: Colour
    middle: Colour
    horizon: Colour
    glow: Colour
    """The sun or the moon and what they shine on."""
    far: Colour
    """The most distant land, nearly sky."""
    near: Colour
    """The nearest land, nearly a silhouette."""
    moon: bool = False
    lit: float = 0.1
    """Share of windows with a lamp behind them, 0-1."""
    stars: float = 0.0
    """Density of stars, 0-1."""


@dataclass(frozen=True, slots=True)
class Mood:
    """A prompt, as scenes see it."""

    motif: str
    """A key of `scenes.MOTIFS`."""
    light: Light
    words: frozenset[str]
    """The tags (keys of `WORDS`) that the prompt names."""
    seed: int


def _light(*colours: int, moon: bool = False, lit: float = 0.1, stars: float = 0.0) -> Light:
    """Light from six 0xRRGGBB colours, zenith to near."""
    zenith, middle, horizon, glow, far, near = (Colour(c >> 16, c >> 8 & 255, c & 255) for c in colours)
    return Light(zenith, middle, horizon, glow, far, near, moon=moon, lit=lit, stars=stars)


LIGHTS = {
    "day": _light(0x2F78BC, 0x7DB9DF, 0xE4F0EA, 0xFFF9DE, 0x9DC3D3, 0x17414B),
    "dawn": _light(0x4A6398, 0xD899AA, 0xFFD9B0, 0xFFF0CC, 0xCFA3B2, 0x33294E, lit=0.25),
    "dusk": _light(0x1F1B52, 0x9A3C74, 0xFF9A5C, 0xFFD08A, 0xB0587E, 0x170F2C, lit=0.5, stars=0.25),
    "night": _light(0x050A1E, 0x10234F, 0x375F94, 0xE2ECFF, 0x2F5280, 0x040813, moon=True, lit=0.42, stars=1),
    "golden": _light(0x6E8AA3, 0xF2B766, 0xFFE6A3, 0xFFF6D2, 0xDDA35F, 0x3A2016, lit=0.3),
    "neon": _light(0x0B0524, 0x4A1079, 0xF0388F, 0x5CF2FF, 0x6E1E92, 0x090518, lit=0.7, stars=0.5),
    "fog": _light(0x8FA0A8, 0xB9C5C7, 0xE2E6E0, 0xFFFBEC, 0xBAC6C7, 0x36494F, lit=0.35),
    "snow": _light(0x7FA5CB, 0xBFD4E6, 0xF4F1EE, 0xFFFFFF, 0xC0D4E5, 0x3A587B, lit=0.3),
    "autumn": _light(0x6F97A3, 0xEBC48A, 0xFBE6BD, 0xFFF3CF, 0xDD9B5C, 0x55201A, lit=0.2),
    "spring": _light(0x6FB5D6, 0xBCE2DC, 0xFCEBE6, 0xFFFFF2, 0xA6D2B4, 0x1E5A48),
    "storm": _light(0x1F2A36, 0x55656F, 0xA9B5B0, 0xE8F0E6, 0x6C7D84, 0x141C22, lit=0.4),
    "aurora": _light(0x050F24, 0x0D4A5E, 0x55C79A, 0xCFFFE6, 0x1F6E72, 0x03101A, moon=True, lit=0.4, stars=0.9),
    "ink": _light(0xDAD6C8, 0xECE8DC, 0xE4DFD0, 0xC23A2B, 0xC4C3BA, 0x1D2024),
    "blueprint": _light(0x0C2C62, 0x123E82, 0x1A519E, 0xE4F2FF, 0x3C79C0, 0x081F49, lit=0.6),
}
UNNAMED = ("day", "dawn", "dusk", "night", "golden", "storm", "aurora", "spring", "autumn")
"""The lights of prompts without a word about light."""

NAMED_COLOURS = {
    "red": Colour(204, 46, 42),
    "orange": Colour(238, 122, 36),
    "yellow": Colour(244, 200, 62),
    "green": Colour(52, 148, 92),
    "teal": Colour(32, 150, 152),
    "blue": Colour(44, 100, 204),
    "purple": Colour(126, 70, 188),
    "pink": Colour(238, 122, 166),
    "brown": Colour(134, 86, 54),
    "white": Colour(238, 236, 230),
    "black": Colour(38, 38, 44),
    "grey": Colour(132, 136, 142),
}

MOTIF_WORDS = {
    "mountains": "mountain hill alps peak ridge valley canyon cliff landscape volcano 山 峰 岭 峡谷 悬崖",
    "city": "city skyline town street skyscraper tower building architecture metropolis downtown "
    "城市 都市 城 天际线 街 楼 建筑 塔 上海 北京 香港",
    "sea": "sea ocean harbor harbour coast beach island lighthouse boat ship sail wave lake river bay "
    "海 港 灯塔 船 舟 帆 浪 岛 湖 江 河 灣 湾",
    "forest": "forest wood tree jungle pine woodland bamboo garden park 森林 树 林 竹 丛林 花园 公园",
    "dunes": "desert dune sahara sand oasis 沙漠 沙丘 沙 荒漠",
    "space": "space galaxy planet universe cosmos cosmic nebula astronaut orbit rocket mars "
    "太空 宇宙 银河 星球 行星 星云 火箭",
    "technical": "isometric diagram blueprint dashboard server database cloud-native network pipeline chart "
    "architecture-diagram infrastructure api software code computer data robot circuit chip datacenter "
    "workflow 等距 图表 示意图 蓝图 仪表盘 服务器 数据库 数据 网络 流程 电脑 代码 机器人 芯片 软件 架构",
    "machine": "machine engine gear mechanism clockwork steam motor clock wristwatch pocket-watch cutaway factory "
    "turbine 机器 引擎 齿轮 机械 蒸汽 发动机 钟表 工厂",
}
WORDS = MOTIF_WORDS | {
    "day": "day noon midday sunny daylight 白天 正午 晴",
    "dawn": "dawn sunrise morning daybreak 日出 清晨 黎明 早晨 朝阳 晨",
    "dusk": "dusk sunset twilight evening 黄昏 日落 傍晚 夕阳 晚霞 暮",
    "night": "night midnight nocturnal moon moonlight moonlit star starry 夜 月 星空 星",
    "golden": "golden gold golden-hour 金色 金黄 金",
    "neon": "neon cyberpunk synthwave futuristic 霓虹 赛博 赛博朋克",
    "fog": "fog foggy mist misty haze hazy 雾 霧 薄雾",
    "snow": "snow snowy winter ice icy frozen glacier arctic 雪 冬 冰",
    "autumn": "autumn fall maple 秋 枫",
    "spring": "spring blossom summer meadow 春 夏 花",
    "storm": "storm stormy rain rainy thunder 雨 暴风 风暴 雷",
    "aurora": "aurora northern-lights 极光",
    "ink": "ink sumi-e ink-wash 水墨 墨 国画",
    "blueprint": "blueprint 蓝图",
    "watercolor": "watercolor watercolour gouache 水彩",
    "pencil": "pencil sketch line-art drawing hatching 线稿 铅笔 素描 草图",
    "minimal": "minimal minimalist simple empty-space white-space negative-space 极简 简约 留白",
    "warm": "warm cozy cosy 温暖 暖",
    "cold": "cold cool chilly 寒 冷",
    "pastel": "pastel soft 粉彩 柔和",
    "vintage": "vintage retro sepia old antique 复古 怀旧 老",
    "lighthouse": "lighthouse 灯塔",
    "emblem": "emblem badge logo icon 徽章 徽标 图标",
    "boat": "boat ship sail harbor harbour 船 舟 帆 港",
    "red": "red crimson scarlet 红 赤",
    "orange": "orange amber 橙",
    "yellow": "yellow 黄色 黄",
    "green": "green emerald 绿 翠",
    "teal": "teal turquoise cyan 青",
    "blue": "blue azure navy 蓝",
    "purple": "purple violet lavender 紫",
    "pink": "pink rose 粉红 粉色 樱",
    "brown": "brown 棕 褐",
    "white": "white 白色",
    "black": "black 黑",
    "grey": "grey gray 灰",
}

_TAGS: dict[str, list[str]] = {}
for _tag, _words in WORDS.items():
    for _word in _words.split():
        _TAGS.setdefault(_word.replace("-", " "), []).append(_tag)
# Longest first: 上海 is a city before 海 is the sea, 黄昏 is dusk before 黄 is yellow.
_LONGEST = sorted(_TAGS, key=lambda word: (-len(word), word))
_WORD = re.compile(
    r"(?<![a-z])({})(?:e?s)?(?![a-z])|({})".format(
        "|".join(re.escape(word).replace(r"\ ", r"[\s-]") for word in _LONGEST if word.isascii()),
        "|".join(word for word in _LONGEST if not word.isascii()),
    ),
)
_READ = 4000
"""Characters of a prompt that are looked through for words."""


def tags(prompt: str) -> tuple[str, ...]:
    """Tags that the prompt names, each once, in the order of their words."""
    found: dict[str, None] = {}
    for match in _WORD.finditer(prompt[:_READ].lower()):
        word = re.sub(r"[\s-]", " ", match[1] or match[2])
        found.update(dict.fromkeys(_TAGS[word]))
    return tuple(found)


def mood(prompt: str) -> Mood:
    """Return the motif, light and seed of a prompt; any text will do. `abstract` if no word names a motif."""
    named = tags(prompt)
    digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()
    seed = int.from_bytes(digest[:8], "big")
    dice = random.Random(seed)  # noqa: S311 (images, not secrets)
    motifs = [tag for tag in named if tag in MOTIF_WORDS]
    if "night" in named and not motifs:
        motifs = ["space"]
    motif = motifs[0] if motifs else "abstract"
    unnamed = UNNAMED[dice.randrange(len(UNNAMED))]
    lights = [tag for tag in named if tag in LIGHTS]
    lights.sort(key=lambda tag: tag not in {"ink", "blueprint"})  # a manner rules over the hour
    if not lights:
        lights = ["night" if motif == "space" else unnamed]
        if motif == "technical":
            lights = [("dawn", "dusk", "night", "aurora", "spring")[seed % 5]]
    light = LIGHTS[lights[0]]
    for further in lights[1:3]:
        share = 0.12 if lights[0] in {"ink", "blueprint"} else 0.36
        light = _blend(light, LIGHTS[further], share)
    return Mood(motif, _toned(light, named, dice.uniform(-1, 1)), frozenset(named), seed)


def _each(light: Light, change: Callable[[Colour], Colour]) -> Light:
    return replace(
        light,
        zenith=change(light.zenith),
        middle=change(light.middle),
        horizon=change(light.horizon),
        glow=change(light.glow),
        far=change(light.far),
        near=change(light.near),
    )


def _blend(a: Light, b: Light, share: float) -> Light:
    """Light `a` with a share of `b`; at night the moon stays, whatever the weather."""
    return Light(
        mix(a.zenith, b.zenith, share),
        mix(a.middle, b.middle, share),
        mix(a.horizon, b.horizon, share),
        mix(a.glow, b.glow, share),
        mix(a.far, b.far, share),
        mix(a.near, b.near, share * 0.6),
        moon=a.moon or b.moon,
        lit=max(a.lit, b.lit),
        stars=max(a.stars, b.stars * 0.6),
    )


def _toned(light: Light, named: tuple[str, ...], turn: float) -> Light:
    """`light` in the manner and the colours that the prompt names, its hues turned a little (`turn` ±1)."""

    def turned(colour: Colour) -> Colour:
        hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in colour))
        return Colour(*(round(part * 255) for part in colorsys.hsv_to_rgb((hue + turn * 0.022) % 1, saturation, value)))

    light = _each(light, turned)
    for tag in named:
        if tag in NAMED_COLOURS:
            named_colour = NAMED_COLOURS[tag]
            light = _each(light, lambda c, n=named_colour: mix(c, ramp(n, luminance(c)), 0.66))  # type: ignore[misc]
    if "warm" in named:
        light = _each(light, lambda c: mix(c, ramp(Colour(236, 140, 66), luminance(c)), 0.4))
    if "cold" in named:
        light = _each(light, lambda c: mix(c, ramp(Colour(88, 140, 190), luminance(c)), 0.45))
    if "vintage" in named:
        light = _each(light, lambda c: mix(c, ramp(Colour(176, 136, 88), luminance(c) * 0.85 + 0.1), 0.6))
    if "pastel" in named or "watercolor" in named:
        light = _each(light, lambda c: mix(c, Colour(255, 246, 240), 0.34))
    return light
