// The service: raw, JSON and Thrift endpoints on one channel, advertised on request.

package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/uber/tchannel-go"
	"github.com/uber/tchannel-go/hyperbahn"
	"github.com/uber/tchannel-go/json"
	"github.com/uber/tchannel-go/raw"
	athrift "github.com/uber/tchannel-go/thirdparty/github.com/apache/thrift/lib/go/thrift"
	"github.com/uber/tchannel-go/thrift"
	"golang.org/x/net/context"
)

var systemErrors = map[string]tchannel.SystemErrCode{
	"busy":        tchannel.ErrCodeBusy,
	"declined":    tchannel.ErrCodeDeclined,
	"unexpected":  tchannel.ErrCodeUnexpected,
	"bad-request": tchannel.ErrCodeBadRequest,
}

func serve(flags map[string]string) {
	channel, err := tchannel.NewChannel(flags["service"], nil)
	exitOn(err)
	offerRaw(channel)
	exitOn(offerJSON(channel))
	typed := thrift.NewServer(channel)
	typed.Register(&keyValue{values: map[string][]byte{}})
	typed.Register(torture{})
	exitOn(channel.ListenAndServe(flags["listen"]))
	say("LISTENING " + channel.PeerInfo().HostPort)

	if routers := flags["routers"]; routers != "" {
		go advertise(channel, strings.Split(routers, ","))
	}
	exitOnSignal()
	eachLine(func(line string) { say("UNSUPPORTED " + line) })
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func exitOnSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() {
		<-signals
		os.Exit(0)
	}()
}

func advertise(channel *tchannel.Channel, routers []string) {
	config := hyperbahn.Configuration{InitialNodes: routers}
	options := hyperbahn.ClientOptions{FailStrategy: hyperbahn.FailStrategyIgnore}
	client, err := hyperbahn.NewClient(channel, config, &options)
	exitOn(err)
	exitOn(client.Advertise())
	say("ADVERTISED")
}

// endpoint is a raw endpoint as a function; errors become error frames.
type endpoint func(ctx context.Context, args *raw.Args) (*raw.Res, error)

func (f endpoint) Handle(ctx context.Context, args *raw.Args) (*raw.Res, error) {
	return f(ctx, args)
}

func (f endpoint) OnError(_ context.Context, err error) {
	fmt.Fprintln(os.Stderr, "raw endpoint:", err)
}

func offerRaw(channel *tchannel.Channel) {
	offer := func(name string, f endpoint) { channel.Register(raw.Wrap(f), name) }
	offer("echo", echo)
	offer("fail", func(_ context.Context, args *raw.Args) (*raw.Res, error) {
		return &raw.Res{Arg2: args.Arg2, Arg3: args.Arg3, IsErr: true}, nil
	})
	offer("slow", func(ctx context.Context, args *raw.Args) (*raw.Res, error) {
		millis, err := strconv.Atoi(string(args.Arg3))
		if err != nil {
			return nil, err
		}
		time.Sleep(time.Duration(millis) * time.Millisecond)
		return echo(ctx, args)
	})
	offer("gather", gathering())
	offer("forward", func(ctx context.Context, args *raw.Args) (*raw.Res, error) {
		onward := channel.GetSubChannel(string(args.Arg2))
		_, arg3, _, err := raw.CallSC(ctx, onward, "echo", nil, args.Arg3)
		return &raw.Res{Arg3: arg3}, err
	})
	for name, code := range systemErrors {
		offer(name, func(context.Context, *raw.Args) (*raw.Res, error) {
			return nil, tchannel.NewSystemError(code, "asked for %s", name)
		})
	}
	channel.Register(tchannel.HandlerFunc(never), "never")
}

func echo(_ context.Context, args *raw.Args) (*raw.Res, error) {
	return &raw.Res{Arg2: args.Arg2, Arg3: args.Arg3}, nil
}

func never(ctx context.Context, call *tchannel.InboundCall) {
	if _, err := raw.ReadArgs(call); err == nil {
		<-ctx.Done()
	}
}

// gathering answers nobody until as many calls wait as each of them names.
func gathering() endpoint {
	var lock sync.Mutex
	waiting := 0
	open := make(chan struct{})
	return func(ctx context.Context, args *raw.Args) (*raw.Res, error) {
		wanted, err := strconv.Atoi(string(args.Arg3))
		if err != nil {
			return nil, err
		}
		lock.Lock()
		waiting++
		gate := open
		if waiting == wanted {
			waiting, open = 0, make(chan struct{})
			close(gate)
		}
		lock.Unlock()
		<-gate
		return echo(ctx, args)
	}
}

type document = map[string]interface{}

func offerJSON(channel *tchannel.Channel) error {
	handlers := json.Handlers{
		"json-echo": func(ctx json.Context, body document) (document, error) {
			ctx.SetResponseHeaders(ctx.Headers())
			return body, nil
		},
		"json-fail": func(ctx json.Context, body document) (document, error) {
			ctx.SetResponseHeaders(ctx.Headers())
			return nil, fmt.Errorf("%v", body["message"])
		},
	}
	return json.Register(channel, handlers, func(_ context.Context, err error) {
		fmt.Fprintln(os.Stderr, "json endpoint:", err)
	})
}

// keyValue is the service of ../kv.thrift.
type keyValue struct {
	lock   sync.Mutex
	values map[string][]byte
}

func (*keyValue) Service() string   { return "KeyValue" }
func (*keyValue) Methods() []string { return []string{"get", "put", "blob"} }

func (kv *keyValue) Handle(
	ctx thrift.Context, method string, p athrift.TProtocol,
) (bool, athrift.TStruct, error) {
	args := record{}
	if err := args.Read(p); err != nil {
		return false, nil, err
	}
	ctx.SetResponseHeaders(ctx.Headers())
	ok, result := kv.answer(method, args)
	return ok, result, nil
}

func (kv *keyValue) answer(method string, args record) (bool, record) {
	kv.lock.Lock()
	defer kv.lock.Unlock()
	switch method {
	case "get":
		value, known := kv.values[args.text(1)]
		if !known {
			return false, record{1: record{1: args[1]}}
		}
		return true, record{0: value}
	case "put":
		kv.values[args.text(1)] = args[2].([]byte)
		return true, record{}
	default:
		return true, record{0: args[1]}
	}
}
