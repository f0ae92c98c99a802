// tchannel-go as something to be measured: the flags and the line of results of bench-peer.
//
//	peer-go server --port 0 --threads N
//	peer-go client --addr H:P --conns N --inflight C --payload BYTES --warmup-ms MS --duration-ms MS --threads N

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"sort"
	"sync"
	"time"

	"github.com/uber/tchannel-go"
	"github.com/uber/tchannel-go/raw"
	"golang.org/x/net/context"
)

const service = "bench"

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("server or client?"))
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	port := flags.Int("port", 0, "where to listen")
	addr := flags.String("addr", "", "the server")
	conns := flags.Int("conns", 1, "connections")
	inflight := flags.Int("inflight", 1, "calls in flight in all")
	payload := flags.Int("payload", 32, "bytes each way")
	warmup := flags.Int("warmup-ms", 500, "time before anything is counted")
	duration := flags.Int("duration-ms", 2000, "time that is counted")
	threads := flags.Int("threads", 1, "threads that run it")
	flags.Parse(os.Args[2:])
	runtime.GOMAXPROCS(*threads)
	if os.Args[1] == "server" {
		serve(*port)
		return
	}
	window := window{time.Now().Add(millis(*warmup)), time.Now().Add(millis(*warmup + *duration))}
	callers := make([]*caller, *inflight)
	channels := make([]*tchannel.Channel, *conns)
	for i := range channels {
		channel, err := tchannel.NewChannel("bench-peer", nil)
		fail(err)
		channels[i] = channel
	}
	var all sync.WaitGroup
	for i := range callers {
		callers[i] = &caller{channel: channels[i%*conns], addr: *addr, payload: make([]byte, *payload)}
		all.Add(1)
		go func(c *caller) {
			defer all.Done()
			c.run(window)
		}(callers[i])
	}
	time.Sleep(time.Until(window.start))
	fmt.Println("START")
	time.Sleep(time.Until(window.stop))
	fmt.Println("STOP")
	all.Wait()
	report(callers, *payload, *inflight, *conns, millis(*duration).Seconds())
}

func serve(port int) {
	channel, err := tchannel.NewChannel(service, nil)
	fail(err)
	channel.Register(raw.Wrap(echo{}), "echo")
	fail(channel.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", port)))
	_, bound, err := net.SplitHostPort(channel.PeerInfo().HostPort)
	fail(err)
	fmt.Println("READY", bound)
	select {}
}

type echo struct{}

func (echo) Handle(_ context.Context, args *raw.Args) (*raw.Res, error) {
	return &raw.Res{Arg2: args.Arg2, Arg3: args.Arg3}, nil
}

func (echo) OnError(_ context.Context, err error) {
	fmt.Fprintln(os.Stderr, err)
}

type window struct{ start, stop time.Time }

type caller struct {
	channel   *tchannel.Channel
	addr      string
	payload   []byte
	latencies []float64
	errors    int
	first     string
}

func (c *caller) run(window window) {
	for {
		begin := time.Now()
		if !begin.Before(window.stop) {
			return
		}
		bytes, err := c.call()
		end := time.Now()
		if err == nil && bytes != len(c.payload) {
			err = fmt.Errorf("%d bytes came back, not %d", bytes, len(c.payload))
		}
		if end.Before(window.start) || !end.Before(window.stop) {
			continue
		}
		if err != nil {
			c.errors++
			c.first = err.Error()
			time.Sleep(time.Millisecond)
			continue
		}
		c.latencies = append(c.latencies, float64(end.Sub(begin).Nanoseconds())/1e3)
	}
}

func (c *caller) call() (int, error) {
	ctx, cancel := tchannel.NewContext(30 * time.Second)
	defer cancel()
	_, arg3, _, err := raw.Call(ctx, c.channel, c.addr, service, "echo", nil, c.payload)
	return len(arg3), err
}

func report(callers []*caller, payload, inflight, conns int, elapsed float64) {
	var latencies []float64
	var first interface{}
	errors := 0
	for _, c := range callers {
		latencies = append(latencies, c.latencies...)
		errors += c.errors
		if c.first != "" {
			first = c.first
		}
	}
	sort.Float64s(latencies)
	at := func(quantile float64) float64 {
		if len(latencies) == 0 {
			return 0
		}
		return latencies[int(quantile*float64(len(latencies)-1))]
	}
	sum := 0.0
	for _, latency := range latencies {
		sum += latency
	}
	cps := float64(len(latencies)) / elapsed
	line, err := json.Marshal(map[string]interface{}{
		"calls": len(latencies), "errors": errors, "first_error": first, "elapsed_s": elapsed,
		"cps": cps, "mbps": cps * float64(payload) / 1e6, "payload": payload, "inflight": inflight, "conns": conns,
		"us": map[string]float64{
			"p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p999": at(0.999), "max": at(1),
			"mean": sum / float64(max(len(latencies), 1)),
		},
	})
	fail(err)
	fmt.Println(string(line))
}

func millis(count int) time.Duration {
	return time.Duration(count) * time.Millisecond
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
