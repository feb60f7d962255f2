-- A part of other scripts. The flags of a connection, see Presence.
local READY, PROTOBUF = 1, 2
