"""The client: one JSON command a line on stdin, one JSON answer a line on stdout."""

import json
import struct

from tchannel import TChannel
from tchannel.errors import TChannelError
from tornado import gen

from torture import call_torture
from wire import kind_of, load_thrift, pattern, run_with_lines, say

SHOWN_LIMIT = 4096

channels = {}


def converse():
    run_with_lines(lambda: None, answer_line)


@gen.coroutine
def answer_line(line):
    command = json.loads(line)
    try:
        answer = yield obey(command)
    except Exception as error:
        answer = failure(error)
    answer["id"] = command["id"]
    say(json.dumps(answer))


def obey(command):
    if command.get("do") == "discover":
        return gen.maybe_future(
            {"ok": False, "error": "unsupported", "message": "the library has no discover"}
        )
    if command.get("count", 1) > 1:
        return call_many(command)
    if command.get("codec"):
        return call_torture(command, channel_for(command), common(command))
    if command.get("body") is not None:
        return call_typed(command)
    return call_raw(command, *args(command))


def failure(error):
    return {"ok": False, "error": kind_of(error), "message": repr(error)}


def channel_for(command):
    """One channel for each caller and router, so that calls share its connection."""
    key = (command["caller"], command.get("router"))
    if key not in channels:
        routers = [command["router"]] if command.get("router") else None
        channels[key] = TChannel(command["caller"], known_peers=routers)
    return channels[key]


def args(command):
    return [arg(command, "arg2"), arg(command, "arg3")]


def arg(command, name):
    if name + "_len" in command:
        return pattern(command[name + "_len"])
    return bytes.fromhex(command.get(name + "_hex", ""))


@gen.coroutine
def call_raw(command, arg2, arg3):
    response = yield channel_for(command).call(
        scheme=command["as"],
        service=command["service"],
        arg1=command["method"],
        arg2=arg2,
        arg3=arg3,
        **common(command)
    )
    got2, got3 = as_bytes(response.headers), as_bytes(response.body)
    answer = {
        "ok": True,
        "code": response.status,
        "arg2_len": len(got2),
        "arg3_len": len(got3),
        "same": got2 == arg2 and got3 == arg3,
    }
    if len(got2) <= SHOWN_LIMIT:
        answer["arg2_hex"] = got2.hex()
    if len(got3) <= SHOWN_LIMIT:
        answer["arg3_hex"] = got3.hex()
    raise gen.Return(answer)


def common(command):
    return {
        "timeout": command["timeout_ms"] / 1000.0,
        "retry_limit": 0,
        "hostport": command.get("peer"),
        "caller_name": command["caller"],
    }


def as_bytes(arg):
    return arg.encode("utf8", "surrogateescape") if isinstance(arg, str) else arg


@gen.coroutine
def call_many(command):
    """Each call carries its number at the end of arg2, and must get that very number back."""
    tally = {"answered": 0, "failed": 0, "mixed_up": 0, "errors": {}}
    numbers = iter(range(command["count"]))

    @gen.coroutine
    def worker():
        for number in numbers:
            yield call_numbered(command, number, tally)

    yield [worker() for _ in range(command.get("concurrency", 1))]
    tally["ok"] = tally["failed"] == 0 and tally["mixed_up"] == 0
    raise gen.Return(tally)


@gen.coroutine
def call_numbered(command, number, tally):
    arg2, arg3 = args(command)
    try:
        answer = yield call_raw(command, arg2 + struct.pack(">I", number), arg3)
        tally["answered"] += 1
        tally["mixed_up"] += 0 if answer["same"] else 1
    except TChannelError as error:
        kind = kind_of(error)
        tally["failed"] += 1
        tally["errors"][kind] = tally["errors"].get(kind, 0) + 1
        tally.setdefault("message", repr(error))


def call_typed(command):
    return call_json(command) if command["as"] == "json" else call_thrift(command)


@gen.coroutine
def call_json(command):
    response = yield channel_for(command).json(
        service=command["service"],
        endpoint=command["method"],
        body=command["body"],
        headers=command.get("headers"),
        **common(command)
    )
    raise gen.Return(typed_answer(response.status, response.headers, response.body))


@gen.coroutine
def call_thrift(command):
    kv = load_thrift(command["service"])
    body = dict(command["body"])
    data = pattern(body.pop("data_len")) if "data_len" in body else None
    if data is not None:
        body["data"] = data
    function = getattr(kv.KeyValue, command["method"].split("::")[1])
    try:
        response = yield channel_for(command).thrift(
            function(**body), headers=command.get("headers"), **common(command)
        )
    except kv.NotFound as refusal:
        exception = {"exception": "NotFound", "key": refusal.key}
        raise gen.Return(typed_answer(1, None, exception))
    shown = response.body
    if isinstance(shown, bytes):
        shown = {"data_len": len(shown), "same": shown == data}
    raise gen.Return(typed_answer(0, response.headers, shown))


def typed_answer(code, headers, body):
    return {"ok": True, "code": code, "headers": headers, "body": body}
