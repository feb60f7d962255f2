-- Names the flags of a user's connection, see UserConnections.
local READY, PROTOBUF = 1, 2
