// npm tchannel as something to be measured: the flags and the line of results of bench-peer. One thread.

'use strict';

const TChannel = require('tchannel');

const [mode, ...words] = process.argv.slice(2);
const flags = { port: 0, conns: 1, inflight: 1, payload: 32, 'warmup-ms': 500, 'duration-ms': 2000 };
for (let i = 0; i < words.length; i += 2) {
    const name = words[i].replace(/^--/, '');
    flags[name] = name === 'addr' ? words[i + 1] : Number(words[i + 1]);
}

if (mode === 'server') {
    serve();
} else {
    call();
}

function serve() {
    const channel = new TChannel();
    const service = channel.makeSubChannel({ serviceName: 'bench' });
    service.register('echo', (req, res, arg2, arg3) => {
        res.headers.as = 'raw';
        res.sendOk(arg2, arg3);
    });
    channel.listen(flags.port, '127.0.0.1', () => {
        console.log(`READY ${channel.hostPort.split(':')[1]}`);
    });
}

function call() {
    const payload = Buffer.alloc(flags.payload, 7);
    const start = Date.now() + flags['warmup-ms'];
    const stop = start + flags['duration-ms'];
    const seen = { latencies: [], errors: 0, first: null };
    let running = flags.inflight;
    for (let i = 0; i < flags.conns; i++) {
        const client = new TChannel().makeSubChannel({ serviceName: 'bench', peers: [flags.addr] });
        const share = Math.floor((flags.inflight - i - 1) / flags.conns) + 1;
        for (let j = 0; j < share; j++) {
            again(client);
        }
    }
    setTimeout(() => console.log('START'), start - Date.now());
    setTimeout(() => console.log('STOP'), stop - Date.now());

    function again(client) {
        const begin = process.hrtime();
        const request = client.request({
            serviceName: 'bench',
            hasNoParent: true,
            timeout: 30000,
            headers: { as: 'raw', cn: 'bench-peer' }
        });
        request.send('echo', '', payload, (error, res, arg2, arg3) => {
            const [seconds, nanos] = process.hrtime(begin);
            const now = Date.now();
            const failure = error ? error.message : arg3.length === payload.length ? null : 'other length';
            if (now >= start && now < stop) {
                if (failure) {
                    seen.errors += 1;
                    seen.first = seen.first || failure;
                } else {
                    seen.latencies.push(seconds * 1e6 + nanos / 1e3);
                }
            }
            if (now < stop) {
                setImmediate(again, client);
            } else if (--running === 0) {
                setTimeout(report, 5, seen);
            }
        });
    }
}

function report({ latencies, errors, first }) {
    latencies.sort((a, b) => a - b);
    const at = quantile => latencies[Math.floor(quantile * (latencies.length - 1))] || 0;
    const elapsed = flags['duration-ms'] / 1e3;
    const cps = latencies.length / elapsed;
    const sum = latencies.reduce((a, b) => a + b, 0);
    console.log(JSON.stringify({
        calls: latencies.length,
        errors,
        first_error: first,
        elapsed_s: elapsed,
        cps,
        mbps: (cps * flags.payload) / 1e6,
        payload: flags.payload,
        inflight: flags.inflight,
        conns: flags.conns,
        us: { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1), mean: sum / (latencies.length || 1) }
    }));
    process.exit(0);
}
