#!lua flags=allow-oom
-- Deletes a group or room, keeps its id taken, and owes those who had it that it is gone.
-- requires: numbers, chat_log, chat_members, entry_states
-- KEYS[1..9]  chat, members, others, readers, log, changes, uncounted, outbox, clients; see chat_people
-- ARGV[1]     id       the chat's
-- ARGV[2]     seen     msgpack array, handles, each with its record as it was seen (see record_of)
-- reply       {0, seq of the newest message, time in µs, nil, places}, see change_chat; {1}: something has moved
local made, deleted = unpack(redis.call('HMGET', CHAT, 'made', 'deleted'))
if deleted or not made or not stand_as_seen(cmsgpack.unpack(ARGV[2]), 2) then return {1} end
local id, handles = ARGV[1], redis.call('HKEYS', MEMBERS)
local others = redis.call('HGETALL', OTHERS)
for i = 1, #others, 2 do
  if standing('o' .. others[i + 1]) == INVITED then handles[#handles + 1] = others[i] end
end
local seq, active = newest(LOG)
local time = next_time(LOG)
local told = placed(id, handles, time, {}, nil, function() return OUT, active, '' end)
local terms = redis.call('HGET', CHAT, 'terms')
redis.call('UNLINK', CLIENTS, unpack(KEYS, 1, 7))
redis.call('HSET', CHAT, 'deleted', decimal(time))
if terms then redis.call('HSET', CHAT, 'terms', terms) end
redis.call('HDEL', OUTBOX, 'm' .. id, 'd' .. id)
redis.call('HSET', OUTBOX, 'i' .. id, decimal(time))
return {0, seq, time, false, told}
