// What server and client share: names of errors, the test pattern, lines out.

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"github.com/uber/tchannel-go"
)

// A period that is prime and divides no frame size, so that a lost or swapped fragment shows.
const period = 251

func pattern(length int) []byte {
	bytes := make([]byte, length)
	for i := range bytes {
		bytes[i] = byte(i % period)
	}
	return bytes
}

// The library's error codes, and the contract's names.
var kinds = map[tchannel.SystemErrCode]string{
	tchannel.ErrCodeTimeout:    "timeout",
	tchannel.ErrCodeCancelled:  "cancelled",
	tchannel.ErrCodeBusy:       "busy",
	tchannel.ErrCodeDeclined:   "declined",
	tchannel.ErrCodeUnexpected: "unexpected",
	tchannel.ErrCodeBadRequest: "bad-request",
	tchannel.ErrCodeNetwork:    "network",
	tchannel.ErrCodeProtocol:   "protocol",
	// The library has no name for "unhealthy".
	tchannel.SystemErrCode(8): "unhealthy",
}

func kindOf(err error) string {
	var system tchannel.SystemError
	var network net.Error
	err = tchannel.GetContextError(err)
	switch {
	case errors.As(err, &system):
		return kinds[system.Code()]
	case errors.As(err, &network):
		return "network"
	case errors.Is(err, tchannel.ErrNoPeers):
		return "declined"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "other"
}

var printing sync.Mutex

func say(line string) {
	printing.Lock()
	defer printing.Unlock()
	fmt.Fprintln(os.Stdout, line)
}
