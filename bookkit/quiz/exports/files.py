"""Files that are the same bytes whenever they are written from the same bank."""

import zipfile
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring


def add(parent: Element, tag: str, text: str | None = None, /, **attributes: str) -> Element:
    """A child with its text and attributes; characters that XML keeps for itself are escaped on writing."""
    element = SubElement(parent, tag, attributes)
    element.text = text
    return element


def document(root: Element) -> bytes:
    indent(root)
    return tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    """An archive whose entries carry no time and no owner."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
