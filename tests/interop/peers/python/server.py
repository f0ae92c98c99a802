"""The service: raw, JSON and Thrift endpoints on one channel, advertised on request."""

from tchannel import Response, TChannel, errors
from tchannel.tornado import hyperbahn
from tornado import gen
from tornado.concurrent import Future

from torture import offer_torture
from wire import load_thrift, run_with_lines, say

SYSTEM_ERRORS = {
    "busy": errors.BusyError,
    "declined": errors.DeclinedError,
    "unexpected": errors.UnexpectedError,
    "bad-request": errors.BadRequestError,
}

APPLICATION_ERROR = 1


def serve(flags):
    channel = TChannel(flags.service, hostport=flags.listen)
    offer_raw(channel)
    offer_json(channel)
    offer_thrift(channel)
    offer_torture(channel)

    def start():
        channel.listen()
        say("LISTENING " + channel.hostport)
        if flags.routers:
            advertise(channel, flags)

    run_with_lines(start, lambda line: say("UNSUPPORTED " + line))


def offer_raw(channel):
    def echo(request):
        return Response(request.body, request.headers)

    def fail(request):
        return Response(request.body, request.headers, status=APPLICATION_ERROR)

    @gen.coroutine
    def slow(request):
        yield gen.sleep(int(request.body) / 1000.0)
        raise gen.Return(echo(request))

    def refusing(endpoint, error):
        def refuse(request):
            raise error("asked for " + endpoint)

        return refuse

    @gen.coroutine
    def forward(request):
        service = request.headers.decode("utf8")
        answer = yield channel.raw(service, "echo", request.body, timeout=30)
        raise gen.Return(Response(answer.body))

    channel.raw.register("echo")(echo)
    channel.raw.register("forward")(forward)
    channel.raw.register("fail")(fail)
    channel.raw.register("slow")(slow)
    channel.raw.register("never")(lambda request: Future())
    channel.raw.register("gather")(gathering(echo))
    for endpoint, error in SYSTEM_ERRORS.items():
        channel.raw.register(endpoint)(refusing(endpoint, error))


def gathering(echo):
    """Answers nobody until as many calls wait as each of them names."""
    waiting = []

    def gather(request):
        answer = Future()
        waiting.append((answer, request))
        if len(waiting) == int(request.body):
            for waiter, its_request in waiting:
                waiter.set_result(echo(its_request))
            del waiting[:]
        return answer

    return gather


def offer_json(channel):
    @channel.json.register("json-echo")
    def json_echo(request):
        return Response(request.body, request.headers)

    @channel.json.register("json-fail")
    def json_fail(request):
        body = {"type": "refused", "message": request.body["message"]}
        return Response(body, request.headers, status=APPLICATION_ERROR)


def offer_thrift(channel):
    kv = load_thrift(channel.name)
    values = {}

    @channel.thrift.register(kv.KeyValue)
    def get(request):
        if request.body.key not in values:
            raise kv.NotFound(request.body.key)
        return Response(values[request.body.key], request.headers)

    @channel.thrift.register(kv.KeyValue)
    def put(request):
        values[request.body.key] = request.body.value
        return Response(None, request.headers)

    @channel.thrift.register(kv.KeyValue)
    def blob(request):
        return Response(request.body.data, request.headers)


@gen.coroutine
def advertise(channel, flags):
    # The library waits a random part of five seconds before its first `ad`; tests need not.
    hyperbahn.DEFAULT_INTERVAL_MAX_JITTER_SECS = 0.1
    yield channel.advertise(routers=flags.routers.split(","))
    say("ADVERTISED")
