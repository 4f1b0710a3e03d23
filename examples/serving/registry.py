"""Load models by registry name: no dependency, and no loader sees a file before its SHA-256 is checked."""
import hashlib
import json
from pathlib import Path


class RegistryError(Exception):
    """The registry does not vouch for what was asked."""


def verified(path, sha256):
    """Open the file at path, positioned at its start, if its bytes have this digest."""
    file, digest = open(path, "rb"), hashlib.sha256()
    for block in iter(lambda: file.read(1 << 20), b""):
        digest.update(block)
    if digest.hexdigest() != sha256:
        file.close()
        raise RegistryError(f"{path}: SHA-256 {digest.hexdigest()} (expected {sha256})")
    file.seek(0)
    return file


def resolve(name, alias="champion", root="models"):
    """Say which version an alias (or version) means, with paths, digests and features; verify every file of it."""
    root = Path(root).resolve()
    registry = json.loads((root / "registry.json").read_text(encoding="utf-8"))
    model = registry.get("models", {}).get(name, {})
    number = model.get("aliases", {}).get(alias, alias)
    entry = model.get("versions", {}).get(number)
    if registry.get("schema") != "manifest-gen/registry/1" or entry is None:
        raise RegistryError(f"{root / 'registry.json'}: no {name}@{alias} (expected a registered alias or version)")
    if entry.get("yanked"):
        raise RegistryError(f"{name} {number} was yanked: {entry['yanked']['reason']}")
    own = {"role": "manifest", "path": entry["release"] + "/manifest.json", "sha256": entry["manifest_sha256"]}
    found = {f["role"]: {"path": (root / f["path"]).resolve(), "sha256": f["sha256"]} for f in entry["artifacts"] + [own]}
    for file in found.values():
        if root not in file["path"].parents:
            raise RegistryError(f"{file['path']} leaves {root}")
        verified(**file).close()
    return {"version": number, "features": entry["features"], "manifest": found.pop("manifest"), "artifacts": found}
