include "includes_back.thrift"
include "nowhere.thrift"
include "other/sound_shared.thrift"
