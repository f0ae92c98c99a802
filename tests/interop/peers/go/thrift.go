// Thrift structs without generated code.

package main

import (
	athrift "github.com/uber/tchannel-go/thirdparty/github.com/apache/thrift/lib/go/thrift"
)

// record is any Thrift struct made of strings and further structs, by field id. It stands for
// every args, result and exception struct of ../kv.thrift.
type record map[int16]any

func (r record) Write(p athrift.TProtocol) error {
	if err := p.WriteStructBegin(""); err != nil {
		return err
	}
	for id, value := range r {
		if err := writeField(p, id, value); err != nil {
			return err
		}
	}
	if err := p.WriteFieldStop(); err != nil {
		return err
	}
	return p.WriteStructEnd()
}

func writeField(p athrift.TProtocol, id int16, value any) error {
	nested, isNested := value.(record)
	kind := athrift.TType(athrift.STRING)
	if isNested {
		kind = athrift.STRUCT
	}
	if err := p.WriteFieldBegin("", kind, id); err != nil {
		return err
	}
	if isNested {
		return nested.Write(p)
	}
	return p.WriteBinary(value.([]byte))
}

func (r record) Read(p athrift.TProtocol) error {
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
		if err := r.readField(p, kind, id); err != nil {
			return err
		}
	}
}

func (r record) readField(p athrift.TProtocol, kind athrift.TType, id int16) error {
	switch kind {
	case athrift.STRING:
		value, err := p.ReadBinary()
		r[id] = value
		return err
	case athrift.STRUCT:
		nested := record{}
		r[id] = nested
		return nested.Read(p)
	}
	return p.Skip(kind)
}

// text is the string in a field, empty when the field is absent.
func (r record) text(id int16) string {
	value, _ := r[id].([]byte)
	return string(value)
}
