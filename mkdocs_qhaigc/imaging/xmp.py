"""XMP packets: the machine-readable marking of published files as made by AI. Pure.

Properties and values are those of the IPTC Photo Metadata Standard (namespace `Iptc4xmpExt`); a label that the
generating service put into its file (`TC260:AIGC`, GB 45438-2025) is copied unchanged, and never made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from xml.etree import ElementTree as ET

PNG_KEYWORD = "XML:com.adobe.xmp"
"""Under which a PNG has its packet."""
TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""Made by a trained model."""
ALGORITHMIC = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
"""Made by a program without training data: the sandbox's drawings."""

_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_TC260 = "http://www.tc260.org.cn/ns/AIGC/1.0/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_LONGEST_LABEL = 8192
"""Characters of a label that is copied."""
_LONGEST_PROMPT = 6_000
"""Characters; a JPEG's packet has room for 64 KB."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """The way in which an image came to be; empty if it is unknown."""

    source_type: str | None = None
    """One of the IPTC's `digitalsourcetype` addresses."""
    system: str | None = None
    """The model, and the service that ran it."""
    prompt: str | None = None
    """`None` if the site does not publish its prompts."""

    def as_xmp(self, label: str | None = None) -> bytes:
        """Return the XMP packet, with the `label` of the original if it has one; empty if nothing is known."""
        properties = {
            "Iptc4xmpExt:DigitalSourceType": self.source_type,
            "Iptc4xmpExt:AISystemUsed": self.system,
            "Iptc4xmpExt:AIPromptInformation": self.prompt and self.prompt[:_LONGEST_PROMPT],
            "TC260:AIGC": label,
        }
        said = [(name, value) for name, value in properties.items() if value is not None]
        if not said:
            return b""
        body = "".join(f"<{name}>{escape(_xml_text(value), quote=False)}</{name}>" for name, value in said)
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
            f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">'
            f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{_IPTC}" xmlns:TC260="{_TC260}">'
            f"{body}</rdf:Description></rdf:RDF></x:xmpmeta>"
            '<?xpacket end="w"?>'
        ).encode()


def label_in_xmp(packet: bytes) -> str | None:
    """Return the AIGC label in the XMP packet of an original, or `None`."""
    return _value_in_xmp(packet, f"{{{_TC260}}}AIGC")


def origin_in_xmp(packet: bytes) -> Provenance:
    """Return the provenance in the XMP packet of an original."""
    said = {name: _value_in_xmp(packet, f"{{{_IPTC}}}{name}") for name in ("DigitalSourceType", "AISystemUsed")}
    return Provenance(said["DigitalSourceType"], said["AISystemUsed"])


def _value_in_xmp(packet: bytes, name: str) -> str | None:
    """Return the text of a property, or `None`."""
    if b"<!" in packet or len(packet) > 1 << 20:  # no packet declares a document type or entities
        return None
    try:
        root = ET.fromstring(packet.decode(errors="strict").strip("\x00\ufeff \r\n\t"))  # noqa: S314 - see above
    except (ET.ParseError, ValueError):
        return None
    for element in root.iter():
        value = element.text if element.tag == name else element.get(name)
        if value and value.strip():
            return usable_label(value)
    return None


def usable_label(value: str) -> str | None:
    """Return a label as it can be copied, or `None` if it is no text of a reasonable length."""
    label = _xml_text(value).strip()
    return label if 0 < len(label) <= _LONGEST_LABEL else None


def _xml_text(text: str) -> str:
    """Return the text without the characters that XML cannot hold."""
    return "".join(
        char
        for char in text
        if char in "\t\n\r" or (char >= " " and not "\ud800" <= char <= "\udfff" and char < "\ufffe") or char > "\uffff"
    )
