// What server and client share: names of errors, the test pattern, writing in steps.

'use strict';

const path = require('path');

const THRIFT_FILE = path.join(__dirname, '..', 'kv.thrift');

// The library's name of an error code, and the contract's.
const KINDS = {
    Timeout: 'timeout',
    Cancelled: 'cancelled',
    Busy: 'busy',
    Declined: 'declined',
    UnexpectedError: 'unexpected',
    BadRequest: 'bad-request',
    NetworkError: 'network',
    Unhealthy: 'unhealthy',
    ProtocolError: 'protocol'
};

// A period that is prime and divides no frame size, so that a lost or swapped fragment shows.
const PERIOD = 251;

function pattern(length) {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) {
        bytes[i] = i % PERIOD;
    }
    return bytes;
}

// The library resets a connection that has over 100 socket writes waiting, so nothing larger
// than this goes out in one piece, and no more calls or answers than this in one turn.
const WHOLE_LIMIT = 4 * 1024 * 1024;
const BURST = 50;

function nextTurn() {
    return new Promise((resolve) => setImmediate(resolve));
}

async function drained(socket) {
    while (socket.writableNeedDrain) {
        await new Promise((resolve) => {
            socket.once('drain', resolve);
            socket.once('close', resolve);
        });
        if (socket.destroyed) {
            return;
        }
    }
}

async function pour(stream, bytes, socket) {
    const step = 32 * 1024;
    for (let at = 0; at < bytes.length && !socket.destroyed; at += step) {
        stream.write(bytes.subarray(at, at + step));
        await nextTurn();
        await drained(socket);
    }
    // The next stream may only begin once the library has seen this one end.
    await new Promise((resolve) => stream.end(resolve));
}

module.exports = { THRIFT_FILE, KINDS, WHOLE_LIMIT, BURST, pattern, nextTurn, drained, pour };
