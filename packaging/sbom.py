"""Keeps of a CycloneDX document what `cargo tree` on standard input lists, without paths of this machine. sbom.py FILE ROOT"""

import json
import sys

file, root = sys.argv[1:]
with open(file, encoding="utf-8") as document:
    bom = json.loads(document.read().replace(f"path+file://{root}/", "path+file:"))
listed = {tuple(line.split(" ")[:2]) for line in sys.stdin.read().splitlines()}


def is_listed(component):
    return (component["name"], "v" + component["version"]) in listed


bom["components"] = [component for component in bom["components"] if is_listed(component)]
kept = {component["bom-ref"] for component in bom["components"]}
found = {(component["name"], "v" + component["version"]) for component in [*bom["components"], bom["metadata"]["component"]]}
if found != listed:
    sys.exit(f"{file} and cargo tree differ: {sorted(found ^ listed)}")
kept.add(bom["metadata"]["component"]["bom-ref"])
bom["dependencies"] = [
    {**one, "dependsOn": [ref for ref in one.get("dependsOn", []) if ref in kept]}
    for one in bom["dependencies"]
    if one["ref"] in kept
]
json.dump(bom, sys.stdout, indent=1)
print()
