"""A provider for the real ``terraform`` with the schema of Google's, which calls nobody.

It speaks Terraform's plugin protocol 6 (https://developer.hashicorp.com/terraform/plugin/terraform-plugin-protocol)
over gRPC, on a Unix socket that ``TF_REATTACH_PROVIDERS`` names. It checks listed values and who
may set an attribute, as the real one does. It leaves what only Google knows unknown in a plan, and
invents it when applied. Asked to be ``foreseeing``, it invents it in the plan already, so that a
plan shows who refers to whom.
It knows no ranges, no defaults and no permissions.

By itself it serves until it is interrupted, and prints the line that a shell needs:

    PYTHONPATH=tests .venv/bin/python -m infra.provider
"""

import contextlib
import json
import os
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import msgspec
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SCHEMA = Path(__file__).parent / "google_schema.json"
ADDRESS = "registry.terraform.io/hashicorp/google"
UNKNOWN = msgspec.msgpack.Ext(0, b"\x00")
PROJECT_NUMBER = "123456789012"

# The messages of the protocol, as far as they are used: field, number, type; * is repeated.
MESSAGES = {
    "DynamicValue": "msgpack 1 bytes, json 2 bytes",
    "RawState": "json 1 bytes",
    "Step": "attribute_name 1 string",
    "AttributePath": "steps 1 *Step",
    "Diagnostic": "severity 1 int64, summary 2 string, detail 3 string, attribute 4 AttributePath",
    "Attribute": "name 1 string, type 2 bytes, required 4 bool, optional 5 bool, computed 6 bool",
    "NestedBlock": (
        "type_name 1 string, block 2 Block, nesting 3 int64, min_items 4 int64, max_items 5 int64"
    ),
    "Block": "attributes 2 *Attribute, block_types 3 *NestedBlock",
    "Schema": "version 1 int64, block 2 Block",
    "Entry": "key 1 string, value 2 Schema",
    "Schemas": "provider 1 Schema, resource_schemas 2 *Entry, data_source_schemas 3 *Entry",
    "Nothing": "",
    "Config": "type_name 1 string, config 2 DynamicValue",
    "Faults": "diagnostics 1 *Diagnostic",
    "Stored": "type_name 1 string, raw_state 3 RawState",
    "Value": "value 1 DynamicValue",
    "Current": "type_name 1 string, state 2 DynamicValue",
    "Change": "type_name 1 string, prior 2 DynamicValue, next 3 DynamicValue",
    "Planned": "state 1 DynamicValue, legacy_type_system 5 bool",
    "Applied": "state 1 DynamicValue, legacy_type_system 4 bool",
}
FIELD = descriptor_pb2.FieldDescriptorProto
NESTING = {"single": 1, "list": 2, "set": 3}
ERROR = 1


def _messages() -> Mapping[str, Any]:
    """The classes of ``MESSAGES``, made as Google's compiler would."""
    file = descriptor_pb2.FileDescriptorProto(name="warmlead_tfplugin6.proto", package="wtf6")
    file.syntax = "proto3"
    kinds = {
        "bytes": FIELD.TYPE_BYTES,
        "string": FIELD.TYPE_STRING,
        "int64": FIELD.TYPE_INT64,
        "bool": FIELD.TYPE_BOOL,
    }
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for part in filter(None, fields.split(", ")):
            field, number, type_ = part.split()
            made = message.field.add(name=field, number=int(number), label=FIELD.LABEL_OPTIONAL)
            if type_.startswith("*"):
                made.label, type_ = FIELD.LABEL_REPEATED, type_[1:]
            made.type = kinds.get(type_, FIELD.TYPE_MESSAGE)
            if type_ not in kinds:
                made.type_name = f".wtf6.{type_}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"wtf6.{name}"))
        for name in MESSAGES
    }


M = _messages()

Fill: TypeAlias = Callable[[str, object], object]
"""What stands in an attribute that is the provider's to fill, by its name and type."""


@cache
def schema() -> dict[str, Any]:
    """The schema; ``infra/provider_schema.py`` writes it."""
    found: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return found


# --- what the provider answers -------------------------------------------------------------


def _schemas(_: Any) -> Any:
    of = schema()
    answer = M["Schemas"](provider=_schema(of["provider"]["block"]))
    for name, block in of["resource"].items():
        answer.resource_schemas.add(key=name, value=_schema(block))
    for name, block in of["data"].items():
        answer.data_source_schemas.add(key=name, value=_schema(block))
    return answer


def _schema(block: Mapping[str, Any]) -> Any:
    return M["Schema"](version=0, block=_block(block))


def _block(block: Mapping[str, Any]) -> Any:
    made = M["Block"]()
    for name, each in block["attributes"].items():
        flags = {flag: each.get(flag, False) for flag in ("required", "optional", "computed")}
        made.attributes.add(name=name, type=json.dumps(each["type"]).encode(), **flags)
    for name, each in block["block_types"].items():
        made.block_types.add(
            type_name=name,
            block=_block(each["block"]),
            nesting=NESTING[each["nesting"]],
            min_items=each.get("min", 0),
            max_items=each.get("max", 0),
        )
    return made


def _validate(kind: str) -> Callable[[Any], Any]:
    def answer(request: Any) -> Any:
        faults = M["Faults"]()
        block = schema()[kind][request.type_name]
        for path, summary in _misused(block, _read(request.config), ()):
            steps = [M["Step"](attribute_name=path[0])]
            attribute = M["AttributePath"](steps=steps)
            faults.diagnostics.add(severity=ERROR, summary=summary, attribute=attribute)
        return faults

    return answer


def _misused(
    block: Mapping[str, Any], value: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Values that are not listed, and those that only the provider may set."""
    for name, each in block["attributes"].items():
        given, where = value.get(name), (*path, name)
        if "choices" in each and isinstance(given, str) and given not in each["choices"]:
            yield where, f"expected {'.'.join(where)} to be one of {each['choices']}, got {given}"
        if given is not None and not (each.get("optional") or each.get("required")):
            yield where, f"{'.'.join(where)} is decided by the provider, and cannot be set"
    for name, each in block["block_types"].items():
        inner = value.get(name)
        for one in inner if isinstance(inner, list) else [inner]:
            if isinstance(one, dict):  # others are not known yet
                yield from _misused(each["block"], one, (*path, name))


def _plan(request: Any) -> Any:
    return _planned(request, lambda _type_name, _given: lambda _name, _type: UNKNOWN)


def _foreseen(request: Any) -> Any:
    return _planned(request, _inventing)


def _planned(request: Any, filling: Callable[[str, Mapping[str, Any]], Fill]) -> Any:
    prior, wanted = _read(request.prior), _read(request.next)
    if wanted is not None and prior is None:
        fill = filling(request.type_name, wanted)
        wanted = _filled(schema()["resource"][request.type_name], wanted, fill)
    return M["Planned"](state=_written(wanted), legacy_type_system=True)


def _apply(request: Any) -> Any:
    wanted = _read(request.next)
    if wanted is not None:
        block = schema()["resource"][request.type_name]
        wanted = _filled(block, wanted, _inventing(request.type_name, wanted))
    return M["Applied"](state=_written(wanted), legacy_type_system=True)


def _read_data(request: Any) -> Any:
    given = _read(request.state)
    block = schema()["data"][request.type_name]
    return M["Value"](value=_written(_filled(block, given, _inventing(request.type_name, given))))


def _inventing(type_name: str, given: Mapping[str, Any]) -> Fill:
    """What Google would have answered, by attribute and type."""
    own = given.get("name") or given.get("secret_id") or given.get("account_id") or "one"

    def invented(name: str, type_: object) -> object:
        if name in ("number", "generated_id"):
            return PROJECT_NUMBER if name == "number" else zlib.crc32(own.encode())
        if name == "email":
            return f"{own}@test.iam.gserviceaccount.com"
        if name == "member":
            return f"serviceAccount:{own}@test.iam.gserviceaccount.com"
        if name in ("uri", "url"):
            return f"https://{own}-abc.a.run.app"
        by_type = {"string": f"{type_name}/{own}/{name}", "number": 1, "bool": False}
        if isinstance(type_, str):
            return by_type[type_]
        return {} if isinstance(type_, list) and type_[0] == "map" else []

    return invented


def _filled(block: Mapping[str, Any], value: dict[str, Any], fill: Fill) -> dict[str, Any]:
    """The value with everything filled in that is for the provider to say."""
    done = dict(value)
    for name, each in block["attributes"].items():
        if each.get("computed") and (done.get(name) is None or done[name] == UNKNOWN):
            done[name] = fill(name, each["type"])
    for name, each in block["block_types"].items():
        inner = done.get(name)
        if isinstance(inner, list):
            done[name] = [
                _filled(each["block"], one, fill) if isinstance(one, dict) else one for one in inner
            ]
    return done


def _read(value: Any) -> Any:
    if value.json:
        return json.loads(value.json)
    return msgspec.msgpack.decode(value.msgpack) if value.msgpack else None


def _written(value: Any) -> Any:
    return M["DynamicValue"](msgpack=msgspec.msgpack.encode(value))


CALLS: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "GetProviderSchema": ("Nothing", "Schemas", _schemas),
    "ValidateProviderConfig": ("Nothing", "Nothing", lambda _: M["Nothing"]()),
    "ConfigureProvider": ("Nothing", "Nothing", lambda _: M["Nothing"]()),
    "ValidateResourceConfig": ("Config", "Faults", _validate("resource")),
    "ValidateDataResourceConfig": ("Config", "Faults", _validate("data")),
    "UpgradeResourceState": (
        "Stored",
        "Value",
        lambda request: M["Value"](value=M["DynamicValue"](json=request.raw_state.json)),
    ),
    "ReadResource": ("Current", "Value", lambda request: M["Value"](value=request.state)),
    "PlanResourceChange": ("Change", "Planned", _plan),
    "ApplyResourceChange": ("Change", "Applied", _apply),
    "ReadDataSource": ("Current", "Value", _read_data),
    "StopProvider": ("Nothing", "Nothing", lambda _: M["Nothing"]()),
}


@contextlib.contextmanager
def serving(*, foreseeing: bool = False) -> Iterator[str]:
    """Serves the provider; what it yields belongs into ``TF_REATTACH_PROVIDERS``."""
    calls = {**CALLS}
    if foreseeing:
        calls["PlanResourceChange"] = ("Change", "Planned", _foreseen)
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            lambda request, _, work=work: work(request),
            request_deserializer=M[asked].FromString,
            response_serializer=M[answer].SerializeToString,
        )
        for name, (asked, answer, work) in calls.items()
    }
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=options)
    generic = grpc.method_handlers_generic_handler("tfplugin6.Provider", handlers)
    server.add_generic_rpc_handlers((generic,))
    with tempfile.TemporaryDirectory(prefix="tf") as folder:
        socket = f"{folder}/s"
        server.add_insecure_port(f"unix://{socket}")
        server.start()
        try:
            yield json.dumps(
                {
                    ADDRESS: {
                        "Protocol": "grpc",
                        "ProtocolVersion": 6,
                        "Pid": os.getpid(),
                        "Test": True,
                        "Addr": {"Network": "unix", "String": socket},
                    }
                }
            )
        finally:
            server.stop(grace=None).wait()


if __name__ == "__main__":
    with serving() as reattach, contextlib.suppress(KeyboardInterrupt):
        print(f"export TF_REATTACH_PROVIDERS='{reattach}'", flush=True)  # noqa: T201  # for a shell
        threading.Event().wait()
