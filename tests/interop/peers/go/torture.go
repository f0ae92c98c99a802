// The service of ../torture.thrift, and its client, on the library's protocol. There is no generated
// code: a value of any type is read, held and written again, field by field.

package main

import (
	"encoding/hex"
	"fmt"
	"strings"

	athrift "github.com/uber/tchannel-go/thirdparty/github.com/apache/thrift/lib/go/thrift"
	"github.com/uber/tchannel-go/thrift"
)

type anyField struct {
	kind  athrift.TType
	id    int16
	value any
}

// anyStruct keeps its fields in the order they came in.
type anyStruct struct{ fields []anyField }

type anyList struct {
	kind   athrift.TType
	values []any
}

type anyMap struct {
	key, value athrift.TType
	pairs      [][2]any
}

func (s *anyStruct) Read(p athrift.TProtocol) error {
	if _, err := p.ReadStructBegin(); err != nil {
		return err
	}
	for {
		_, kind, id, err := p.ReadFieldBegin()
		if err != nil {
			return err
		}
		if kind == athrift.STOP {
			return p.ReadStructEnd()
		}
		value, err := readAny(p, kind)
		if err != nil {
			return err
		}
		s.fields = append(s.fields, anyField{kind, id, value})
		if err := p.ReadFieldEnd(); err != nil {
			return err
		}
	}
}

func (s *anyStruct) Write(p athrift.TProtocol) error {
	if err := p.WriteStructBegin(""); err != nil {
		return err
	}
	for _, field := range s.fields {
		if err := p.WriteFieldBegin("", field.kind, field.id); err != nil {
			return err
		}
		if err := writeAny(p, field.kind, field.value); err != nil {
			return err
		}
		if err := p.WriteFieldEnd(); err != nil {
			return err
		}
	}
	if err := p.WriteFieldStop(); err != nil {
		return err
	}
	return p.WriteStructEnd()
}

func readAny(p athrift.TProtocol, kind athrift.TType) (any, error) {
	switch kind {
	case athrift.BOOL:
		return p.ReadBool()
	case athrift.BYTE:
		return p.ReadByte()
	case athrift.I16:
		return p.ReadI16()
	case athrift.I32:
		return p.ReadI32()
	case athrift.I64:
		return p.ReadI64()
	case athrift.DOUBLE:
		return p.ReadDouble()
	case athrift.STRING:
		return p.ReadBinary()
	case athrift.STRUCT:
		value := &anyStruct{}
		return value, value.Read(p)
	case athrift.LIST:
		kind, size, err := p.ReadListBegin()
		if err != nil {
			return nil, err
		}
		return readElements(p, kind, size)
	case athrift.SET:
		kind, size, err := p.ReadSetBegin()
		if err != nil {
			return nil, err
		}
		return readElements(p, kind, size)
	case athrift.MAP:
		return readMap(p)
	}
	return nil, fmt.Errorf("type %v is none of Thrift's", kind)
}

func readElements(p athrift.TProtocol, kind athrift.TType, size int) (any, error) {
	list := &anyList{kind: kind}
	for range size {
		value, err := readAny(p, kind)
		if err != nil {
			return nil, err
		}
		list.values = append(list.values, value)
	}
	return list, nil
}

func readMap(p athrift.TProtocol) (any, error) {
	key, value, size, err := p.ReadMapBegin()
	if err != nil {
		return nil, err
	}
	pairs := &anyMap{key: key, value: value}
	for range size {
		k, err := readAny(p, key)
		if err != nil {
			return nil, err
		}
		v, err := readAny(p, value)
		if err != nil {
			return nil, err
		}
		pairs.pairs = append(pairs.pairs, [2]any{k, v})
	}
	return pairs, nil
}

func writeAny(p athrift.TProtocol, kind athrift.TType, value any) error {
	switch value := value.(type) {
	case bool:
		return p.WriteBool(value)
	case int8:
		return p.WriteByte(value)
	case int16:
		return p.WriteI16(value)
	case int32:
		return p.WriteI32(value)
	case int64:
		return p.WriteI64(value)
	case float64:
		return p.WriteDouble(value)
	case []byte:
		return p.WriteBinary(value)
	case *anyStruct:
		return value.Write(p)
	case *anyList:
		return writeElements(p, kind, value)
	case *anyMap:
		return writeMap(p, value)
	}
	return fmt.Errorf("%T is no value of Thrift", value)
}

func writeElements(p athrift.TProtocol, kind athrift.TType, list *anyList) error {
	begin := p.WriteListBegin
	if kind == athrift.SET {
		begin = p.WriteSetBegin
	}
	if err := begin(list.kind, len(list.values)); err != nil {
		return err
	}
	for _, value := range list.values {
		if err := writeAny(p, list.kind, value); err != nil {
			return err
		}
	}
	return nil
}

func writeMap(p athrift.TProtocol, pairs *anyMap) error {
	if err := p.WriteMapBegin(pairs.key, pairs.value, len(pairs.pairs)); err != nil {
		return err
	}
	for _, pair := range pairs.pairs {
		if err := writeAny(p, pairs.key, pair[0]); err != nil {
			return err
		}
		if err := writeAny(p, pairs.value, pair[1]); err != nil {
			return err
		}
	}
	return nil
}

type torture struct{}

func (torture) Service() string { return "Torture" }

func (torture) Methods() []string {
	return []string{"whoami", "everything", "shape", "tree", "huge", "colors", "nothing", "fail"}
}

func (torture) Handle(
	ctx thrift.Context, method string, p athrift.TProtocol,
) (bool, athrift.TStruct, error) {
	args := &anyStruct{}
	if err := args.Read(p); err != nil {
		return false, nil, err
	}
	ctx.SetResponseHeaders(ctx.Headers())
	if method == "fail" {
		return false, args, nil
	}
	// The argument is field 1 and the result field 0.
	for i := range args.fields {
		args.fields[i].id = 0
	}
	return true, args, nil
}

// callTorture is given the arguments as bytes and tells the result as bytes, so that both pass through
// the protocol.
func callTorture(cmd *command) (answer, error) {
	channel, err := channelFor(cmd)
	if err != nil {
		return nil, err
	}
	bytes, err := hex.DecodeString(cmd.Arg3Hex)
	if err != nil {
		return nil, err
	}
	args, result := &anyStruct{}, &anyStruct{}
	if err := args.Read(protocolOn(bytes)); err != nil {
		return nil, err
	}
	client := thrift.NewClient(channel, cmd.Service, &thrift.ClientOptions{HostPort: cmd.Peer})
	ctx, cancel := cmd.thriftContext()
	defer cancel()
	service, method, _ := strings.Cut(cmd.Method, "::")
	ok, err := client.Call(ctx, service, method, args, result)
	if err != nil {
		return nil, err
	}
	out := athrift.NewTMemoryBuffer()
	if err := result.Write(athrift.NewTBinaryProtocolTransport(out)); err != nil {
		return nil, err
	}
	reply := answer{"ok": true, "code": 1, "arg3_hex": hex.EncodeToString(out.Bytes())}
	if ok {
		reply["code"] = 0
	}
	return reply, nil
}

func protocolOn(bytes []byte) athrift.TProtocol {
	in := athrift.NewTMemoryBuffer()
	in.Write(bytes)
	return athrift.NewTBinaryProtocolTransport(in)
}
