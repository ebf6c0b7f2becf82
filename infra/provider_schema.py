"""Writes the schema of Google's Terraform provider, as far as our Terraform uses it.

Run by ``make provider-schema``; needs npm's registry. The source is the npm package
``@cdktf/provider-google`` (MPL-2.0), whose classes were generated from the schema of
``hashicorp/google`` 6.50.0. Names, types, which arguments are required, how often a block may come
and the listed values are in it; ranges of numbers, formats and defaults are not. The provider of
``tests/infra`` serves the schema to the real ``terraform``, which needs no network then.
"""

import base64
import json
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "tests/infra/google_schema.json"
PACKAGE = "@cdktf/provider-google@16.12.1"
VERSION = "6.50.0"
"""The release of the provider from which the package was generated."""

IN_TESTS = [("resource", "google_project_iam_binding")]
"""Types that only seeded faults have."""

MANAGED = re.compile(r'^(resource|data)\s+"(google_\w+)"', re.MULTILINE)
SCALARS = {"String": "string", "Number": "number", "Boolean": "bool"}
LISTS = {"List": ["list", "string"], "NumberList": ["list", "number"]}
MAPS = {f"{name}Map": ["map", kind] for name, kind in SCALARS.items()}

_MAIN = re.compile(r"^export class (\w+) extends cdktf\.Terraform", re.MULTILINE)
_CLASS = re.compile(r"^export class (\w+) extends [\w.]+ \{$(.*?)^\}$", re.MULTILINE | re.DOTALL)
_INTERFACE = re.compile(r"^export interface (\w+)[^{]*\{$(.*?)^\}$", re.MULTILINE | re.DOTALL)
_MEMBER = re.compile(
    r"^  // (\w+) - computed: (\w+), optional: (\w+), required: (\w+)$(.*?)(?=^  // \w+ - |\Z)",
    re.MULTILINE | re.DOTALL,
)
_GETTER = re.compile(r"get(String|Number|Boolean|List|NumberList|\w+Map)Attribute\('")
_NESTED = re.compile(r"= new (cdktf\.)?(\w+)\(this, \"\w+\"(?:, (true|false))?\)")
_CHOICES = re.compile(r"Possible values: (\[[^\]]*\])")
_DOCUMENTED = re.compile(r"/\*\*(.*?)\*/\s*readonly (\w+)\??:", re.DOTALL)

Block = dict[str, Any]


def main() -> None:
    """Writes the file."""
    ours = {found for text in _ours() for found in MANAGED.findall(text)}
    wanted = sorted({*ours, *IN_TESTS})
    schema: dict[str, dict[str, Block]] = {"resource": {}, "data": {}}
    with tempfile.TemporaryDirectory() as folder:
        package = _fetched(Path(folder))
        provider = _source(package, "provider")
        of_provider = {"attributes": _scalars(provider), "block_types": {}}
        for kind, name in wanted:
            module = name.removeprefix("google_").replace("_", "-")
            text = _source(package, f"data-google-{module}" if kind == "data" else module)
            schema[kind][name] = _block(text, _MAIN.findall(text)[-1])
    whole = {
        "source": f"npm {PACKAGE}, generated from hashicorp/google {VERSION}; MPL-2.0",
        "version": VERSION,
        "provider": {"block": of_provider},
        **schema,
    }
    SCHEMA.write_text(_text(whole), encoding="utf-8")
    print(f"{SCHEMA.relative_to(ROOT)}: {len(wanted)} types")


def _text(whole: Mapping[str, Any]) -> str:
    """The file, with a line for each type."""
    parts = []
    for key, value in whole.items():
        text = json.dumps(value)
        if key in ("resource", "data"):
            types = [f"{json.dumps(name)}: {json.dumps(block)}" for name, block in value.items()]
            text = "{\n" + ",\n".join(types) + "\n}"
        parts.append(f"{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _ours() -> list[str]:
    """The text of every Terraform file."""
    return [path.read_text(encoding="utf-8") for path in (ROOT / "infra").rglob("*.tf")]


def _fetched(folder: Path) -> Path:
    """The unpacked package."""
    command = ["npm", "pack", "--silent", PACKAGE]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def _source(package: Path, module: str) -> str:
    """The TypeScript of a module, from its source map: the comments say what is required."""
    text = (package / "lib" / module / "index.js").read_text(encoding="utf-8")
    encoded = text.rpartition("base64,")[2].strip()
    found: str = json.loads(base64.b64decode(encoded))["sourcesContent"][0]
    return found


def _block(text: str, name: str) -> Block:
    classes = dict(_CLASS.findall(text))
    return _content(name, classes, _listed_values(text))


def _listed_values(text: str) -> Mapping[str, list[str]]:
    """The values that the documentation lists, by interface and attribute."""
    return {
        f"{interface}.{attribute}": json.loads(listed[1])
        for interface, body in _INTERFACE.findall(text)
        for comment, attribute in _DOCUMENTED.findall(body)
        if (listed := _CHOICES.search(comment))
    }


def _content(name: str, classes: Mapping[str, str], listed: Mapping[str, list[str]]) -> Block:
    """The attributes and blocks of a class."""
    attributes: Block = {}
    blocks: Block = {}
    interface = name.removesuffix("OutputReference")
    for member, computed, optional, required, body in _MEMBER.findall(classes[name]):
        flags = {"computed": computed, "optional": optional, "required": required}
        said = {flag: True for flag, word in flags.items() if word == "true"}
        nested = _NESTED.search(body)
        if nested is None or nested[1]:
            camel = re.sub(r"_(\w)", lambda part: part[1].upper(), member)
            choices = listed.get(f"{interface}.{camel}") or listed.get(f"{interface}Config.{camel}")
            type_ = MAPS[nested[2]] if nested else _type(body)
            attributes[member] = {
                "type": type_,
                **said,
                **({"choices": choices} if choices else {}),
            }
            continue
        inner = _inner(nested[2], classes, listed)
        if "optional" not in said and "required" not in said:
            attributes[member] = {"type": ["list", _object(inner)], **said}
            continue
        single = nested[2].endswith("OutputReference")
        nesting = "single" if member == "timeouts" else "set" if nested[3] == "true" else "list"
        blocks[member] = {"nesting": nesting, "block": inner}
        blocks[member] |= {"min": 1} if "required" in said else {}
        blocks[member] |= {"max": 1} if single and nesting != "single" else {}
    return {"attributes": attributes, "block_types": blocks}


def _scalars(text: str) -> Block:
    """The provider's own arguments that are no blocks; all are optional."""
    body = dict(_CLASS.findall(text))["GoogleProvider"]
    declared = {"string": "string", "boolean": "bool", "number": "number", "{": ["map", "string"]}
    found = {}
    for member, _, _, _, rest in _MEMBER.findall(body):
        if type_ := re.search(r"private _\w+\?: (string|boolean|number|\{)", rest):
            found[member] = {"type": declared[type_[1]], "optional": True}
    return found


def _inner(name: str, classes: Mapping[str, str], listed: Mapping[str, list[str]]) -> Block:
    one = (
        name if name.endswith("OutputReference") else f"{name.removesuffix('List')}OutputReference"
    )
    return _content(one, classes, listed)


def _type(body: str) -> object:
    found = _GETTER.search(body)
    if found is None:
        raise ValueError(f"no type in {body[:200]}")
    kind = found[1]
    if kind in LISTS:
        is_set = "Fn.tolist(" in body
        return ["set", LISTS[kind][1]] if is_set else LISTS[kind]
    return MAPS.get(kind) or SCALARS[kind]


def _object(block: Block) -> object:
    """A block as the type of an attribute."""
    parts = {name: each["type"] for name, each in block["attributes"].items()}
    parts |= {name: ["list", _object(each["block"])] for name, each in block["block_types"].items()}
    return ["object", parts]


if __name__ == "__main__":
    main()
