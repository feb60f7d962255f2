#!lua flags=allow-oom
-- Deletes a group or room, keeps its id taken, and records the inbox entries of members and invited users as pending.
-- requires: numbers, chat_log, chat_members, entry_states
-- KEYS[1..9]: see chat_members
-- KEYS[10..]: what else belongs to the messages of the chat, see Chats; of any type
local id = ARGV[1] -- of the chat
local seen = cmsgpack.unpack(ARGV[2]) -- msgpack array, handle and record as the caller has seen it in turn (see record_of)
-- reply: {0, seq of the newest message, time in µs, nil, inbox entries, if any of them has hidden messages the handles of
--   members and others, with \0 between them}, see change_chat; {1}: something has moved
local FIRST_OF_MESSAGES = 10
local made, deleted = unpack(redis.call('HMGET', CHAT, 'made', 'deleted'))
if deleted or not made or not are_as_seen(seen, 2) then return {1} end
local handles, others, known = redis.call('HKEYS', MEMBERS), redis.call('HGETALL', OTHERS), {}
if redis.call('HEXISTS', CHAT, 'hidden') == 1 then
  known = redis.call('HKEYS', OTHERS)
  for _, handle in ipairs(handles) do known[#known + 1] = handle end
end
for i = 1, #others, 2 do
  if membership('o' .. others[i + 1]) == INVITED then handles[#handles + 1] = others[i] end
end
local seq, active = newest(LOG)
local time = next_time()
local entries = raise_stamps(id, handles, time, {}, nil, function() return OUT, active, '' end)
local terms = redis.call('HGET', CHAT, 'terms')
redis.call('UNLINK', CHAT_CONNECTIONS, unpack(KEYS, 1, 7))
redis.call('UNLINK', unpack(KEYS, FIRST_OF_MESSAGES))
redis.call('HSET', CHAT, 'deleted', decimal(time))
if terms then redis.call('HSET', CHAT, 'terms', terms) end
redis.call('HDEL', OUTBOX, 'm' .. id, 'd' .. id, 'c' .. id)
redis.call('HSET', OUTBOX, 'i' .. id, decimal(time))
return {0, seq, time, false, entries, table.concat(known, '\0')}
