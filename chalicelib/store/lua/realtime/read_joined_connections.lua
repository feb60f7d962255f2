#!lua flags=no-writes
-- Reads the connections that have joined a group or room, for a member.
-- requires: clock, chat_connections, memberships
local chat = KEYS[1] -- HASH, see Chats
local members = KEYS[2] -- HASH, see Chats
local chat_connections = KEYS[3] -- HASH, see ChatConnections
local reader = ARGV[1] -- handle of the user who asks
-- reply: {the joined connections; flags; handles}, see chat_connections; 1: the chat does not exist, 2: not a member
if not group_of(chat) then return 1 end
if redis.call('HEXISTS', members, reader) == 0 then return 2 end
return {joined_connections(redis.call('HGETALL', chat_connections), members, now())}
