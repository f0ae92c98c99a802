// The service: raw, JSON and Thrift endpoints on one channel, advertised on request.

'use strict';

const readline = require('readline');

const TChannel = require('tchannel');
const TChannelJSON = require('tchannel/as/json');
const TChannelThrift = require('tchannel/as/thrift');
const HyperbahnClient = require('tchannel/hyperbahn');

const { offerTorture } = require('./torture');
const { THRIFT_FILE, WHOLE_LIMIT, BURST, nextTurn, pour } = require('./wire');

const SYSTEM_ERRORS = {
    busy: 'Busy',
    declined: 'Declined',
    unexpected: 'UnexpectedError',
    'bad-request': 'BadRequest'
};

module.exports = function serve(flags) {
    const channel = new TChannel();
    const service = channel.makeSubChannel({ serviceName: flags.service });
    offerRaw(service);
    offerJson(service);
    offerThrift(service);
    offerTorture(service);

    const [host, port] = (flags.listen || '127.0.0.1:0').split(':');
    channel.listen(Number(port), host, () => {
        say(`LISTENING ${channel.hostPort}`);
        const router = flags.routers && advertise(channel, flags);
        offerForward(service, router);
        obey(router);
    });
    process.on('SIGTERM', () => process.exit(0));
};

function say(line) {
    process.stdout.write(line + '\n');
}

function offerRaw(service) {
    service.register('echo', { streamed: true }, echo);
    service.register('fail', (req, res, arg2, arg3) => {
        res.headers.as = 'raw';
        res.setOk(false);
        res.send(arg2, arg3);
    });
    for (const [endpoint, code] of Object.entries(SYSTEM_ERRORS)) {
        service.register(endpoint, (req, res) => res.sendError(code, `asked for ${endpoint}`));
    }
    service.register('slow', (req, res, arg2, arg3) => {
        setTimeout(() => sendOk(res, arg2, arg3), Number(String(arg3)));
    });
    service.register('never', () => {});
    service.register('gather', gathering());
}

function sendOk(res, arg2, arg3) {
    res.headers.as = 'raw';
    res.sendOk(arg2, arg3);
}

function echo(req, buildResponse) {
    req.withArg23((err, arg2, arg3) => {
        if (err) {
            buildResponse({ streamed: false }).sendError('UnexpectedError', err.message);
        } else if (arg2.length + arg3.length <= WHOLE_LIMIT) {
            sendOk(buildResponse({ streamed: false }), arg2, arg3);
        } else {
            sendInSteps(req, buildResponse({ streamed: true }), arg2, arg3);
        }
    });
}

async function sendInSteps(req, res, arg2, arg3) {
    const socket = req.connection.socket;
    res.headers.as = 'raw';
    res.setOk(true);
    await pour(res.arg2, arg2, socket);
    await pour(res.arg3, arg3, socket);
}

// Answers nobody until as many calls wait as each of them names.
function gathering() {
    let waiting = [];
    return async function gather(req, res, arg2, arg3) {
        waiting.push({ res, arg2, arg3 });
        if (waiting.length < Number(String(arg3))) {
            return;
        }
        const all = waiting;
        waiting = [];
        for (let i = 0; i < all.length; i++) {
            sendOk(all[i].res, all[i].arg2, all[i].arg3);
            if (i % BURST === BURST - 1) {
                await nextTurn();
            }
        }
    };
}

// Calls `echo` of the service that arg2 names, through the routers, and answers what came back.
function offerForward(service, router) {
    service.register('forward', (req, res, arg2, arg3) => {
        const serviceName = String(arg2);
        const target = router.getClientChannel({ serviceName });
        const onward = target.request({
            serviceName,
            parent: req,
            timeout: req.timeout,
            headers: { cn: req.serviceName, as: 'raw' }
        });
        onward.send('echo', '', arg3, (err, answer, echoed2, echoed3) => {
            if (err) {
                res.sendError('UnexpectedError', err.message);
            } else {
                sendOk(res, '', echoed3);
            }
        });
    });
}

function offerJson(service) {
    const json = TChannelJSON();
    json.register(service, 'json-echo', null, (opts, req, head, body, done) => {
        done(null, { ok: true, head, body });
    });
    json.register(service, 'json-fail', null, (opts, req, head, body, done) => {
        done(null, { ok: false, head, body: { type: 'refused', message: body.message } });
    });
}

function offerThrift(service) {
    // With a health check it answers Meta::thriftIDL too.
    const isHealthy = () => ({ ok: true });
    const thrift = TChannelThrift({ channel: service, entryPoint: THRIFT_FILE, isHealthy });
    const values = new Map();
    thrift.register('KeyValue::get', null, (opts, req, head, body, done) => {
        if (values.has(body.key)) {
            done(null, { ok: true, head, body: values.get(body.key) });
        } else {
            done(null, { ok: false, typeName: 'e', head, body: { key: body.key } });
        }
    });
    thrift.register('KeyValue::put', null, (opts, req, head, body, done) => {
        values.set(body.key, body.value);
        done(null, { ok: true, head, body: null });
    });
    thrift.register('KeyValue::blob', null, (opts, req, head, body, done) => {
        done(null, { ok: true, head, body: body.data });
    });
}

function advertise(channel, flags) {
    const router = new HyperbahnClient({
        tchannel: channel,
        serviceName: flags.service,
        hostPortList: flags.routers.split(','),
        reportTracing: false
    });
    router.once('advertised', () => say('ADVERTISED'));
    router.on('unadvertised', () => say('UNADVERTISED'));
    router.advertise();
    return router;
}

function obey(router) {
    const lines = readline.createInterface({ input: process.stdin });
    lines.on('line', (line) => {
        if (line !== 'unadvertise' || !router) {
            say(`UNSUPPORTED ${line}`);
        } else {
            router.unadvertise();
        }
    });
    lines.on('close', () => process.exit(0));
}
