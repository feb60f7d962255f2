#!lua
-- Sends a message in one step, where a script may touch keys of any chats and users; it stops at the first refusal.
-- requires: numbers
-- runs: accounts/authenticate, accounts/take_user_limit, accounts/read_user_cards, accounts/read_relation, messages/append_message, inbox/deliver_message
local outbox = KEYS[1] -- HASH, see Outbox: the delivery becomes pending, unless nothing is left to be done
-- KEYS[2..]: those of the scripts that it runs, one script after the other
local needs_account = ARGV[1] == '1' -- 1: the other user of a direct chat must have an account
local item = ARGV[2] -- the pending delivery
local first_entry = ARGV[3] -- the pending inbox entry of the first user of a direct chat, which may undo a delivery
local second_entry = ARGV[4] -- that of the second user
local skip = ARGV[5] -- connection that the message is not pushed to; may be empty
-- ARGV[6..]: of each script that it runs: the number of its keys, 0: it is left out; the number of its arguments; these, of
--   deliver_message without the time
-- reply: {reply of authenticate or of take_user_limit; those of read_relation, append_message and deliver_message; 1: the inboxes are
--   settled, 0: the outbox has to repeat the delivery; reply of read_user_cards}; false for a script that was left out; what
--   follows a refusal is absent
local ACCOUNT, DELETED_ACCOUNT, STORED = 1, 2, 0
local last_key, last_argument = 1, 5

-- Runs the next script; returns its reply, or false if it is left out. time: as text; nil: the script takes none.
local function run(script, time)
  if ARGV[last_argument + 1] == '0' then
    last_argument = last_argument + 2
    return false
  end
  local keys, arguments = tonumber(ARGV[last_argument + 1]), tonumber(ARGV[last_argument + 2])
  local first_key, first = last_key + 1, last_argument + 3
  last_key, last_argument = last_key + keys, last_argument + 2 + arguments
  local own_arguments = {unpack(ARGV, first, last_argument)}
  if time then own_arguments[#own_arguments + 1] = time end -- a nil would have the table grow, too
  return script({unpack(KEYS, first_key, last_key)}, own_arguments)
end

local function accepts(relation)
  local status, blocks = unpack(relation)
  return blocks == 0 and status ~= DELETED_ACCOUNT and (status == ACCOUNT or not needs_account)
end

-- Returns whether a message is to be pushed to connections.
local function is_pushed(recipients)
  for kind = 1, 2 do
    if recipients[kind] ~= '' and recipients[kind] ~= skip then return true end
  end
  return false
end

local function send()
  local authenticated, limited = run(authenticate), run(take_user_limit)
  authenticated = authenticated or limited
  if authenticated and authenticated[1] ~= 1 then return {authenticated} end
  local named, relation = run(read_user_cards), run(read_relation)
  if relation and not accepts(relation) then return {authenticated, relation} end
  local appended = run(append_message)
  if appended[3] ~= STORED then return {authenticated, relation, appended} end
  local time = decimal(appended[2])
  local is_delivered, recipients = pcall(run, deliver_message, time)
  if not is_delivered then redis.call('HSET', outbox, item, time) end -- a damaged inbox: the message stays pending
  if not is_delivered or not recipients then return {authenticated, relation, appended, false, false, named} end
  local waiting = redis.call('HMGET', outbox, first_entry, second_entry)
  local is_settled = not waiting[1] and not waiting[2]
  if not is_settled or is_pushed(recipients) then redis.call('HSET', outbox, item, time) end
  return {authenticated, relation, appended, recipients, is_settled and 1 or 0, named}
end

return send()
