// The client: one JSON command a line on stdin, one JSON answer a line on stdout.

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/uber/tchannel-go"
	"github.com/uber/tchannel-go/hyperbahn"
	hyperbahnidl "github.com/uber/tchannel-go/hyperbahn/gen-go/hyperbahn"
	"github.com/uber/tchannel-go/raw"
	"github.com/uber/tchannel-go/thrift"
	"golang.org/x/net/context"
)

const shownLimit = 4096

type command struct {
	ID          int64             `json:"id"`
	Do          string            `json:"do"`
	Peer        string            `json:"peer"`
	Router      string            `json:"router"`
	Service     string            `json:"service"`
	Caller      string            `json:"caller"`
	As          string            `json:"as"`
	Method      string            `json:"method"`
	Arg2Hex     string            `json:"arg2_hex"`
	Arg2Len     *int              `json:"arg2_len"`
	Arg3Hex     string            `json:"arg3_hex"`
	Arg3Len     *int              `json:"arg3_len"`
	Headers     map[string]string `json:"headers"`
	Body        document          `json:"body"`
	Codec       bool              `json:"codec"`
	TimeoutMs   int               `json:"timeout_ms"`
	Count       int               `json:"count"`
	Concurrency int               `json:"concurrency"`
}

type answer = map[string]any

func converse() {
	exitOnSignal()
	eachLine(func(line string) {
		var cmd command
		exitOn(json.Unmarshal([]byte(line), &cmd))
		go func() {
			reply, err := obey(&cmd)
			if err != nil {
				reply = failure(err)
			}
			reply["id"] = cmd.ID
			text, err := json.Marshal(reply)
			exitOn(err)
			say(string(text))
		}()
	})
	os.Exit(0)
}

func obey(cmd *command) (answer, error) {
	switch {
	case cmd.Do == "discover":
		return discover(cmd)
	case cmd.Count > 1:
		return callMany(cmd)
	case cmd.Codec:
		return callTorture(cmd)
	case cmd.Body != nil && cmd.As == "json":
		return callJSON(cmd)
	case cmd.Body != nil:
		return callThrift(cmd)
	}
	arg2, arg3, err := cmd.args()
	if err != nil {
		return nil, err
	}
	return callRaw(cmd, arg2, arg3)
}

func failure(err error) answer {
	return answer{"ok": false, "error": kindOf(err), "message": err.Error()}
}

var (
	channelsLock sync.Mutex
	channels     = map[string]*tchannel.Channel{}
)

// channelFor shares one channel among the calls of a caller by the same way.
func channelFor(cmd *command) (*tchannel.Channel, error) {
	channelsLock.Lock()
	defer channelsLock.Unlock()
	key := cmd.Caller + " " + cmd.Router
	if channel, known := channels[key]; known {
		return channel, nil
	}
	channel, err := tchannel.NewChannel(cmd.Caller, nil)
	if err != nil {
		return nil, err
	}
	if cmd.Router != "" {
		if _, err := routerClient(channel, cmd); err != nil {
			return nil, err
		}
	}
	channels[key] = channel
	return channel, nil
}

func routerClient(channel *tchannel.Channel, cmd *command) (*hyperbahn.Client, error) {
	config := hyperbahn.Configuration{InitialNodes: []string{cmd.Router}}
	return hyperbahn.NewClient(channel, config, nil)
}

func (cmd *command) args() (arg2, arg3 []byte, err error) {
	if arg2, err = argOf(cmd.Arg2Hex, cmd.Arg2Len); err != nil {
		return nil, nil, err
	}
	arg3, err = argOf(cmd.Arg3Hex, cmd.Arg3Len)
	return arg2, arg3, err
}

func argOf(text string, length *int) ([]byte, error) {
	if length != nil {
		return pattern(*length), nil
	}
	return hex.DecodeString(text)
}

func (cmd *command) context() (context.Context, context.CancelFunc) {
	return tchannel.NewContext(time.Duration(cmd.TimeoutMs) * time.Millisecond)
}

func begin(ctx context.Context, cmd *command) (*tchannel.OutboundCall, error) {
	channel, err := channelFor(cmd)
	if err != nil {
		return nil, err
	}
	options := &tchannel.CallOptions{Format: tchannel.Format(cmd.As)}
	if cmd.Router != "" {
		return channel.GetSubChannel(cmd.Service).BeginCall(ctx, cmd.Method, options)
	}
	return channel.BeginCall(ctx, cmd.Peer, cmd.Service, cmd.Method, options)
}

func callRaw(cmd *command, arg2, arg3 []byte) (answer, error) {
	ctx, cancel := cmd.context()
	defer cancel()
	call, err := begin(ctx, cmd)
	if err != nil {
		return nil, err
	}
	got2, got3, response, err := raw.WriteArgs(call, arg2, arg3)
	if err != nil {
		return nil, err
	}
	reply := answer{
		"ok":       true,
		"code":     codeOf(response),
		"arg2_len": len(got2),
		"arg3_len": len(got3),
		"same":     bytes.Equal(got2, arg2) && bytes.Equal(got3, arg3),
	}
	if len(got2) <= shownLimit {
		reply["arg2_hex"] = hex.EncodeToString(got2)
	}
	if len(got3) <= shownLimit {
		reply["arg3_hex"] = hex.EncodeToString(got3)
	}
	return reply, nil
}

func codeOf(response *tchannel.OutboundCallResponse) int {
	if response.ApplicationError() {
		return 1
	}
	return 0
}

// callMany numbers each call at the end of arg2; each must get that very number back.
func callMany(cmd *command) (answer, error) {
	var next, answered, failed, mixedUp atomic.Int64
	var lock sync.Mutex
	kindCounts := map[string]int{}
	message := ""

	var workers sync.WaitGroup
	for range max(cmd.Concurrency, 1) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for number := next.Add(1) - 1; number < int64(cmd.Count); number = next.Add(1) - 1 {
				same, err := callNumbered(cmd, uint32(number))
				if err != nil {
					failed.Add(1)
					lock.Lock()
					kindCounts[kindOf(err)]++
					message = err.Error()
					lock.Unlock()
					continue
				}
				answered.Add(1)
				if !same {
					mixedUp.Add(1)
				}
			}
		}()
	}
	workers.Wait()
	return answer{
		"ok":       failed.Load() == 0 && mixedUp.Load() == 0,
		"answered": answered.Load(),
		"failed":   failed.Load(),
		"mixed_up": mixedUp.Load(),
		"errors":   kindCounts,
		"message":  message,
	}, nil
}

func callNumbered(cmd *command, number uint32) (same bool, err error) {
	arg2, arg3, err := cmd.args()
	if err != nil {
		return false, err
	}
	reply, err := callRaw(cmd, binary.BigEndian.AppendUint32(arg2, number), arg3)
	if err != nil {
		return false, err
	}
	return reply["same"].(bool), nil
}

func callJSON(cmd *command) (answer, error) {
	ctx, cancel := cmd.context()
	defer cancel()
	call, err := begin(ctx, cmd)
	if err != nil {
		return nil, err
	}
	if err := tchannel.NewArgWriter(call.Arg2Writer()).WriteJSON(cmd.Headers); err != nil {
		return nil, err
	}
	if err := tchannel.NewArgWriter(call.Arg3Writer()).WriteJSON(cmd.Body); err != nil {
		return nil, err
	}
	var headers map[string]string
	var body document
	response := call.Response()
	if err := tchannel.NewArgReader(response.Arg2Reader()).ReadJSON(&headers); err != nil {
		return nil, err
	}
	if err := tchannel.NewArgReader(response.Arg3Reader()).ReadJSON(&body); err != nil {
		return nil, err
	}
	return answer{"ok": true, "code": codeOf(response), "headers": headers, "body": body}, nil
}

func callThrift(cmd *command) (answer, error) {
	channel, err := channelFor(cmd)
	if err != nil {
		return nil, err
	}
	client := thrift.NewClient(channel, cmd.Service, &thrift.ClientOptions{HostPort: cmd.Peer})
	ctx, cancel := cmd.thriftContext()
	defer cancel()
	service, method, _ := strings.Cut(cmd.Method, "::")
	args, result := cmd.record(), record{}
	ok, err := client.Call(ctx, service, method, args, result)
	if err != nil {
		return nil, err
	}
	reply := answer{"ok": true, "code": 0, "headers": ctx.ResponseHeaders(), "body": nil}
	if !ok {
		refusal, _ := result[1].(record)
		reply["code"] = 1
		reply["body"] = answer{"exception": "NotFound", "key": refusal.text(1)}
	} else if method == "get" {
		reply["body"] = result.text(0)
	} else if method == "blob" {
		data, _ := result[0].([]byte)
		reply["body"] = answer{"data_len": len(data), "same": bytes.Equal(data, args[1].([]byte))}
	}
	return reply, nil
}

func (cmd *command) thriftContext() (thrift.Context, context.CancelFunc) {
	ctx, cancel := tchannel.NewContextBuilder(time.Duration(cmd.TimeoutMs) * time.Millisecond).
		SetHeaders(cmd.Headers).
		SetRetryOptions(&tchannel.RetryOptions{RetryOn: tchannel.RetryNever}).
		Build()
	return ctx, cancel
}

// record is the args struct of the method, its fields in the order of the IDL.
func (cmd *command) record() record {
	if length, given := cmd.Body["data_len"].(float64); given {
		return record{1: pattern(int(length))}
	}
	args := record{}
	for id, name := range []string{"key", "value"} {
		if value, given := cmd.Body[name].(string); given {
			args[int16(id)+1] = []byte(value)
		}
	}
	return args
}

func discover(cmd *command) (answer, error) {
	channel, err := tchannel.NewChannel(cmd.Caller, nil)
	if err != nil {
		return nil, err
	}
	defer channel.Close()
	client, err := routerClient(channel, cmd)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	hosts, err := client.Discover(cmd.Service)
	var none *hyperbahnidl.NoPeersAvailable
	if errors.As(err, &none) {
		return answer{"ok": false, "error": "no-peers", "message": none.Message}, nil
	}
	if err != nil {
		return nil, err
	}
	return answer{"ok": true, "hosts": hosts}, nil
}
