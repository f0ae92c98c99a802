include "includes.thrift"
