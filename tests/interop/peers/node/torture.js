// The service of ../torture.thrift, and its client: through the library's own codec, both ways.

'use strict';

const path = require('path');

const TChannelThrift = require('tchannel/as/thrift');

const FILE = path.join(__dirname, '..', 'torture.thrift');
const ECHOES = ['whoami', 'everything', 'shape', 'tree', 'huge', 'colors'];

function codecFor(channel) {
    return TChannelThrift({ channel, entryPoint: FILE, allowOptionalArguments: true });
}

function offerTorture(service) {
    const codec = codecFor(service);
    for (const method of ECHOES) {
        codec.register(`Torture::${method}`, null, (opts, req, head, body, done) => {
            done(null, { ok: true, head, body: body.it });
        });
    }
    codec.register('Torture::nothing', null, (opts, req, head, body, done) => {
        done(null, { ok: true, head, body: null });
    });
    codec.register('Torture::fail', null, (opts, req, head, body, done) => {
        done(null, { ok: false, typeName: 'failure', head, body: body.it });
    });
}

// The arguments come as bytes and the result goes as bytes, so that both pass through the codec.
async function callTorture(command, channel, request) {
    const codec = codecFor(channel);
    const args = codec.spec.getType(`${command.method}_args`);
    const result = codec.spec.getType(`${command.method}_result`);
    const sent = args.fromBuffer(Buffer.from(command.arg3_hex, 'hex'));
    const res = await new Promise((resolve, reject) => {
        codec.send(request, command.method, {}, sent,
            (err, answer) => (err ? reject(err) : resolve(answer)));
    });
    const got = { [res.ok ? 'success' : res.typeName]: res.body };
    return { ok: true, code: res.ok ? 0 : 1, arg3_hex: result.toBuffer(got).toString('hex') };
}

module.exports = { offerTorture, callTorture };
