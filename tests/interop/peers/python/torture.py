"""The service of ../torture.thrift, and its client: through the library's own codec, both ways."""

import os

from tchannel import Response, thrift
from tornado import gen

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "torture.thrift")
ECHOES = ["whoami", "everything", "shape", "tree", "huge", "colors"]


def offer_torture(channel):
    torture = thrift.load(FILE, service=channel.name)

    def give_back(request):
        return Response(request.body.it, request.headers)

    def nothing(request):
        return Response(None, request.headers)

    def fail(request):
        raise request.body.it

    for method in ECHOES:
        channel.thrift.register(torture.Torture, handler=give_back, method=method)
    channel.thrift.register(torture.Torture, handler=nothing)
    channel.thrift.register(torture.Torture, handler=fail)


@gen.coroutine
def call_torture(command, channel, common):
    """The arguments come as bytes and the result goes as bytes, so that both pass through the codec."""
    torture = thrift.load(FILE, service=command["service"])
    method = command["method"].split("::")[1]
    function = getattr(torture.Torture, method)
    args = torture.loads(function._request_cls, bytes.fromhex(command["arg3_hex"]))
    kwargs = {} if method == "nothing" else {"it": args.it}
    try:
        response = yield channel.thrift(function(**kwargs), **common)
        code, got = 0, {} if method == "nothing" else {"success": response.body}
    except torture.Failure as failure:
        code, got = 1, {"failure": failure}
    arg3 = torture.dumps(function._response_cls(**got))
    raise gen.Return({"ok": True, "code": code, "arg3_hex": arg3.hex()})
