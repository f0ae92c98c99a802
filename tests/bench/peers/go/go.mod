module bench-peer

go 1.22

require (
	github.com/uber/tchannel-go v1.34.5
	golang.org/x/net v0.14.0
)

require (
	github.com/opentracing/opentracing-go v1.1.0 // indirect
	go.uber.org/atomic v1.6.0 // indirect
	go.uber.org/multierr v1.2.0 // indirect
	golang.org/x/sys v0.11.0 // indirect
)
