// A TChannel service or client on npm `tchannel`; the contract is in ../README.md.

'use strict';

const serve = require('./server');
const converse = require('./client');

const ROLES = { server: serve, client: converse };

function main() {
    const [role, ...flags] = process.argv.slice(2);
    const run = ROLES[role];
    if (!run) {
        process.stderr.write(`unknown role ${JSON.stringify(role)}: say server or client\n`);
        process.exit(2);
    }
    run(readFlags(flags));
}

function readFlags(words) {
    const flags = {};
    for (let i = 0; i + 1 < words.length; i += 2) {
        flags[words[i].replace(/^--/, '')] = words[i + 1];
    }
    return flags;
}

main();
