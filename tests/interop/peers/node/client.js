// The client: one JSON command a line on stdin, one JSON answer a line on stdout.

'use strict';

const readline = require('readline');

const TChannel = require('tchannel');
const TChannelJSON = require('tchannel/as/json');
const TChannelThrift = require('tchannel/as/thrift');
const HyperbahnClient = require('tchannel/hyperbahn');
const errors = require('tchannel/errors');

const { callTorture } = require('./torture');
const { THRIFT_FILE, KINDS, WHOLE_LIMIT, BURST, pattern, nextTurn, pour } = require('./wire');

const SHOWN_LIMIT = 4096;

const channels = new Map();

module.exports = function converse() {
    const lines = readline.createInterface({ input: process.stdin });
    lines.on('line', async (line) => {
        const command = JSON.parse(line);
        const answer = await obey(command).catch(failure);
        process.stdout.write(JSON.stringify({ id: command.id, ...answer }) + '\n');
    });
    lines.on('close', () => process.exit(0));
    process.on('SIGTERM', () => process.exit(0));
};

function obey(command) {
    if (command.do === 'discover') {
        return discover(command);
    }
    if (command.count > 1) {
        return callMany(command);
    }
    if (command.codec) {
        return callTorture(command, subChannel(command), request(command));
    }
    if (command.body !== undefined) {
        return callTyped(command);
    }
    return callRaw(command, args(command));
}

function failure(err) {
    const kind = KINDS[errors.classify(err)] || 'other';
    return { ok: false, error: kind, message: String(err.message) };
}

// One channel for each address, so that calls share its connection.
function subChannel(command) {
    const address = command.router || command.peer;
    const key = `${address} ${command.service} ${command.caller}`;
    if (!channels.has(key)) {
        channels.set(key, makeSubChannel(command));
    }
    return channels.get(key);
}

function makeSubChannel(command) {
    const top = new TChannel();
    if (!command.router) {
        return top.makeSubChannel({ serviceName: command.service, peers: [command.peer] });
    }
    const router = new HyperbahnClient({
        tchannel: top,
        serviceName: command.caller,
        hostPortList: [command.router],
        reportTracing: false
    });
    return router.getClientChannel({ serviceName: command.service });
}

function request(command, more) {
    return subChannel(command).request({
        serviceName: command.service,
        timeout: command.timeout_ms,
        hasNoParent: true,
        retryLimit: 1,
        headers: { cn: command.caller, as: command.as },
        ...more
    });
}

function args(command) {
    return {
        arg2: arg(command.arg2_hex, command.arg2_len),
        arg3: arg(command.arg3_hex, command.arg3_len)
    };
}

function arg(hex, length) {
    return length === undefined ? Buffer.from(hex || '', 'hex') : pattern(length);
}

async function callRaw(command, sent) {
    const small = sent.arg2.length + sent.arg3.length <= WHOLE_LIMIT;
    const [res, arg2, arg3] = await (small ? sendWhole : sendInSteps)(command, sent);
    return {
        ok: true,
        code: res.code,
        arg2_len: arg2.length,
        arg3_len: arg3.length,
        arg2_hex: arg2.length <= SHOWN_LIMIT ? arg2.toString('hex') : undefined,
        arg3_hex: arg3.length <= SHOWN_LIMIT ? arg3.toString('hex') : undefined,
        same: arg2.equals(sent.arg2) && arg3.equals(sent.arg3)
    };
}

function sendWhole(command, { arg2, arg3 }) {
    return new Promise((resolve, reject) => {
        request(command).send(command.method, arg2, arg3, settle(resolve, reject));
    });
}

function sendInSteps(command, { arg2, arg3 }) {
    return new Promise((resolve, reject) => {
        const channel = subChannel(command);
        const peer = channel.peers.choosePeer();
        channel.waitForIdentified({ host: peer.hostPort }, (err) => {
            if (err) {
                reject(err);
                return;
            }
            const req = request(command, { streamed: true, peer });
            req.hookupCallback(settle(resolve, reject));
            req.sendArg1(command.method);
            const socket = peer.connections[0].socket;
            pour(req.arg2, arg2, socket).then(() => pour(req.arg3, arg3, socket)).catch(reject);
        });
    });
}

function settle(resolve, reject) {
    return (err, res, arg2, arg3) => (err ? reject(err) : resolve([res, arg2, arg3]));
}

// Each call carries its number at the end of arg2, and must get that very number back.
async function callMany(command) {
    const tally = { answered: 0, failed: 0, mixed_up: 0, errors: {}, message: undefined };
    const concurrency = command.concurrency || 1;
    let next = 0;

    async function worker() {
        while (next < command.count) {
            await callNumbered(command, next++, tally);
        }
    }
    const workers = [];
    for (let i = 0; i < concurrency; i++) {
        workers.push(worker());
        if (i % BURST === BURST - 1) {
            await nextTurn();
        }
    }
    await Promise.all(workers);
    return { ok: tally.failed === 0 && tally.mixed_up === 0, ...tally };
}

async function callNumbered(command, number, tally) {
    const sent = args(command);
    const mark = Buffer.alloc(4);
    mark.writeUInt32BE(number);
    sent.arg2 = Buffer.concat([sent.arg2, mark]);
    try {
        const answer = await callRaw(command, sent);
        tally.answered++;
        tally.mixed_up += answer.same ? 0 : 1;
    } catch (err) {
        const { error, message } = failure(err);
        tally.failed++;
        tally.errors[error] = (tally.errors[error] || 0) + 1;
        tally.message = tally.message || message;
    }
}

async function callTyped(command) {
    const codec = command.as === 'json' ? TChannelJSON() : thriftFor(command);
    const data = command.body.data_len === undefined ? null : pattern(command.body.data_len);
    const body = data ? { data } : command.body;
    const res = await new Promise((resolve, reject) => {
        codec.send(request(command), command.method, command.headers || {}, body,
            (err, answer) => (err ? reject(err) : resolve(answer)));
    });
    return { ok: true, code: res.ok ? 0 : 1, headers: res.head, body: shown(res, data) };
}

function thriftFor(command) {
    return TChannelThrift({ channel: subChannel(command), entryPoint: THRIFT_FILE });
}

function shown(res, data) {
    if (res.typeName === 'e') {
        return { exception: 'NotFound', key: res.body.key };
    }
    if (Buffer.isBuffer(res.body)) {
        return { data_len: res.body.length, same: data !== null && res.body.equals(data) };
    }
    if (!res.ok) {
        return { type: res.body.type, message: res.body.message };
    }
    return res.body === undefined ? null : res.body;
}

async function discover(command) {
    const channel = new TChannel();
    await new Promise((resolve) => channel.listen(0, '127.0.0.1', resolve));
    const router = new HyperbahnClient({
        tchannel: channel,
        serviceName: command.caller,
        hostPortList: [command.router],
        reportTracing: false
    });
    return new Promise((resolve) => {
        router.discover({ serviceName: command.service, timeout: command.timeout_ms }, (err, hosts) => {
            router.destroy();
            channel.close();
            if (hosts && hosts.length === 0) {
                resolve({ ok: false, error: 'no-peers', message: String(err.message) });
            } else {
                resolve(err ? failure(err) : { ok: true, hosts });
            }
        });
    });
}
