// One bare member of a Ringpop ring, with the command line that Ringpop's own tools expect of a program.
// It leaves the ring on SIGTERM.
package main

import (
	"flag"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/temporalio/ringpop-go"
	"github.com/temporalio/ringpop-go/discovery/jsonfile"
	"github.com/temporalio/ringpop-go/swim"
	"github.com/temporalio/tchannel-go"
	"github.com/uber-common/bark"
)

func main() {
	hosts := flag.String("hosts", "hosts.json", "JSON file with the host:port of all members")
	listen := flag.String("listen", "", "host:port to listen on, and the member's name")
	suspect := flag.Int("suspect-period", 5000, "milliseconds from suspect to faulty")
	faulty := flag.Int("faulty-period", 24*60*60*1000, "milliseconds from faulty to tombstone")
	tombstone := flag.Int("tombstone-period", 60000, "milliseconds from tombstone to forgotten")
	identity := flag.String("identity", "", "name on the ring in place of the address")
	flag.Parse()

	channel, err := tchannel.NewChannel("ringpop", nil)
	check(err)
	silent := logrus.New()
	silent.Out = io.Discard
	ms := func(count int) time.Duration { return time.Duration(count) * time.Millisecond }
	options := []ringpop.Option{
		ringpop.Channel(channel),
		ringpop.Address(*listen),
		ringpop.Logger(bark.NewLoggerFromLogrus(silent)),
		ringpop.SuspectPeriod(ms(*suspect)),
		ringpop.FaultyPeriod(ms(*faulty)),
		ringpop.TombstonePeriod(ms(*tombstone)),
	}
	if *identity != "" {
		options = append(options, ringpop.Identity(*identity))
	}
	member, err := ringpop.New("ringpop", options...)
	check(err)
	check(channel.ListenAndServe(*listen))

	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	_, err = member.Bootstrap(&swim.BootstrapOptions{DiscoverProvider: jsonfile.New(*hosts)})
	check(err)
	<-end
	check(member.SelfEvict())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
