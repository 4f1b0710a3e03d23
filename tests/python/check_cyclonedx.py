"""Validates a CycloneDX document on standard input, strictly. check_cyclonedx.py 1.6 < bom.json"""

import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = sys.stdin.read()
version = SchemaVersion.from_version(sys.argv[1])
error = JsonStrictValidator(version).validate_str(text)
if error:
    sys.exit(f"{sys.argv[1]}: {error}")
# The validator is not asleep: an unknown field is refused.
broken = text.replace('"bomFormat"', '"surprise": 1, "bomFormat"', 1)
if not JsonStrictValidator(version).validate_str(broken):
    sys.exit("the validator took an unknown field")
