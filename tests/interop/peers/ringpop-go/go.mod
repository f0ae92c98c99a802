module member

go 1.22

require (
	github.com/sirupsen/logrus v1.0.2-0.20170726183946-abee6f9b0679
	github.com/temporalio/ringpop-go v0.1.3
	github.com/temporalio/tchannel-go v1.22.1-0.20220818200552-1be8d8cffa5b
	github.com/uber-common/bark v1.0.0
)

require (
	github.com/apache/thrift v0.16.0 // indirect
	github.com/benbjohnson/clock v0.0.0-20160125162948-a620c1cc9866 // indirect
	github.com/cactus/go-statsd-client/statsd v0.0.0-20200423205355-cb0885a1018c // indirect
	github.com/dgryski/go-farm v0.0.0-20140601200337-fc41e106ee0e // indirect
	github.com/opentracing/opentracing-go v1.1.0 // indirect
	github.com/rcrowley/go-metrics v0.0.0-20141108142129-dee209f2455f // indirect
	go.uber.org/atomic v1.7.0 // indirect
	go.uber.org/multierr v1.7.0 // indirect
	golang.org/x/net v0.17.0 // indirect
	golang.org/x/sys v0.13.0 // indirect
)
