#!lua flags=no-writes
-- Reads the connections that have joined a group or room, for a member.
-- requires: clock, chat_connections, permissions
-- KEYS[1]  chat     HASH, see Chats
-- KEYS[2]  members  HASH, see Chats
-- KEYS[3]  clients  HASH, see Clients
-- ARGV[1]  reader   handle of who asks
-- reply    {the joined connections; flags; handles}, see clients; 1: no such chat, 2: not a member
if not group_of(KEYS[1]) then return 1 end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then return 2 end
return {joined_clients(redis.call('HGETALL', KEYS[3]), KEYS[2], now())}
