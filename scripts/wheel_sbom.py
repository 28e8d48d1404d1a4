"""Put a bill of materials into a wheel: the networks that travel in it, and the libraries that it asks for.

CycloneDX 1.6, as `DIST-INFO/sboms/NAME.cdx.json` (https://peps.python.org/pep-0770/). The build backend writes none, so
a release adds it to the wheels that it has built. Equal wheels stay equal: no date, no serial number.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

__all__ = ["add", "document"]

NETWORKS = (".keras", ".mjs", ".onnx", ".tflite")


def add(wheel: Path) -> None:
    """Replace a wheel that has no bill of materials by the same with one."""
    with zipfile.ZipFile(wheel) as old:
        members = {info: old.read(info) for info in old.infolist()}
    contents = {info.filename: data for info, data in members.items()}
    (folder,) = {name.split("/")[0] for name in contents if name.split("/")[0].endswith(".dist-info")}
    metadata = BytesParser().parsebytes(contents[f"{folder}/METADATA"])
    name = f"{folder}/sboms/{metadata['Name']}.cdx.json"
    if name in contents:
        raise ValueError(f"{wheel}: {name} is there already")
    text = document(metadata, contents).encode()
    record = f"{folder}/RECORD"
    digest = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
    temporary = wheel.with_suffix(".new")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as new:
        for info, data in members.items():
            if info.filename == record:
                own = zipfile.ZipInfo(name, info.date_time)
                own.external_attr, own.compress_type = info.external_attr, zipfile.ZIP_DEFLATED
                new.writestr(own, text)
                data = f"{name},sha256={digest},{len(text)}\n".encode() + data
            new.writestr(info, data)
    os.replace(temporary, wheel)


def document(metadata: Message, contents: Mapping[str, bytes]) -> str:
    """Return the bill of materials of a wheel with this metadata and these files."""
    name, version = metadata["Name"], metadata["Version"]
    networks = [_network(path, data) for path, data in sorted(contents.items()) if path.endswith(NETWORKS)]
    needs = sorted(map(Requirement, metadata.get_all("Requires-Dist") or ()), key=str)
    root = {
        "type": "library",
        "bom-ref": name,
        "name": name,
        "version": version,
        "licenses": [{"expression": metadata["License-Expression"]}],
        "purl": f"{_purl(name)}@{version}",
    }
    libraries = [_library(need) for need in needs]
    listed: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": root},
        "components": [*networks, *libraries],
        "dependencies": [{"ref": name, "dependsOn": [each["bom-ref"] for each in (*networks, *libraries)]}],
    }
    return json.dumps(listed, indent=2) + "\n"


def _network(path: str, data: bytes) -> dict[str, Any]:
    """Describe a network in the wheel; as JavaScript it is one, too."""
    hashes = [{"alg": "SHA-256", "content": hashlib.sha256(data).hexdigest()}]
    return {"type": "machine-learning-model", "bom-ref": path, "name": Path(path).name, "hashes": hashes}


def _library(need: Requirement) -> dict[str, Any]:
    """Describe a library that pip installs, in the version that it chooses; one of an extra only on demand."""
    return {
        "type": "library",
        "bom-ref": str(need),
        "name": need.name,
        "purl": _purl(need.name),
        "scope": "optional" if need.marker and "extra" in str(need.marker) else "required",
        "properties": [{"name": "mnist-edge:requirement", "value": str(need)}],
    }


def _purl(name: str) -> str:
    """Return the address of a package; those of this project are on no index, where the names may be a stranger's."""
    return f"pkg:{'generic' if name.startswith('mnist-edge') else 'pypi'}/{name}"
