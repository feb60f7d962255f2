#!lua flags=no-writes
-- Reads what an inbox shows of a chat to one user, and no more than the user may see.
-- requires: numbers, hidden_messages, memberships, mention_counts, newest_change, read_permission, read_states
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; of a direct chat only its settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local uncounted = KEYS[6] -- ZSET, see Chats
local changes = KEYS[7] -- ZSET, see Chats
local mentions = KEYS[8] -- HASH, see Mentions
local hidden = KEYS[9] -- ZSET, see HiddenMessages, of the reader
local hidings = KEYS[10] -- ZSET, see HiddenMessages, of the reader
local reader = ARGV[1] -- handle
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
-- reply: {state, role, muted until in µs, base, head, epoch, time of the newest message in µs, seq of the newest that is not hidden,
--   that message or '', seq and number of the newest change, read, received, stamp, flags, unread, 1: large, number of members,
--   number of unread messages that mention the reader, field and value of the chat...}; what the user may not see is 0 or absent
local view = view_of(log, chat, members, others, read_states, reader, kind)
local own = view.own or read_state_of(read_states, reader)
if view.state == GONE then return {GONE, 0, 0, 0, 0, 0, 0, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0} end

local change, changed = newest_change_of(chat, changes, hidings)
local size, info = 0, kind == GROUP and {} or redis.call('HGETALL', chat)
local shows_info = view.state == MEMBER or view.state == INVITED
if kind == GROUP then
  shows_info = shows_info or (view.state ~= BANNED and redis.call('HGET', chat, 'join') ~= 'invite')
  if shows_info then size, info = redis.call('HLEN', members), redis.call('HGETALL', chat) end
end
if not view.reads then view.epoch = 0 end
if not view.reads or change > view.head then change, changed = 0, 0 end

local unread = 0
if view.state == MEMBER then
  local from = math.max(own.read, view.since, view.base)
  unread = math.max(view.head - from, 0)
  if unread > 0 then
    unread = unread - redis.call('ZCOUNT', uncounted, '(' .. decimal(from), view.head)
      - count_hidden(hidden, uncounted, from, view.head)
  end
end

local mentioned = 0
if unread > 0 then
  local from = math.max(own.read, view.since, view.base)
  mentioned = count_mentions(mentions, reader, from, view.head, {uncounted, hidden})
end

-- Returns seq of the newest message that is not hidden, and the message; 0 and '': there is none.
local function last_shown()
  local seq = newest_not_hidden(hidden, view.base, view.head)
  if seq <= view.base then return 0, '' end
  return seq, redis.call('LINDEX', log, seq - view.first)
end
local shown, last = last_shown()
local newest_element = newest_seen(view) or ''
local time = #newest_element < 9 and 0 or struct.unpack('>I8', newest_element, 2)

local reply = {
  view.state, view.role, view.muted, view.base, view.head, view.epoch, time, shown, last, change, changed,
  own.read, own.received, own.stamp, own.flags, unread, shows_info and view.large and 1 or 0, size, mentioned
}
for i = 1, #info do reply[#reply + 1] = info[i] end
return reply
