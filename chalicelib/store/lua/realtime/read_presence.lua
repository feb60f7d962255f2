#!lua flags=no-writes
-- Reads whether a user is online.
-- requires: presence
local user = KEYS[1] -- HASH, see Accounts
local user_connections = KEYS[2] -- HASH, see UserConnections
local last_seen = KEYS[3] -- STRING, see UserConnections
local blocked = KEYS[4] -- ZSET, see Blocks
local reader = ARGV[1] -- handle of the user who asks
-- reply: {1: online, 0: offline, or has blocked the reader; when the user was last online, µs; 0: never, or has blocked the
--   reader}; {}: there is no account and no connection
return presence_of(user, user_connections, last_seen, blocked, reader)
