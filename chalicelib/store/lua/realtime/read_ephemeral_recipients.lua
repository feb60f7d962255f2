#!lua flags=allow-oom
-- Reads the ready connections of users for something that is never stored, such as a signal of a call; takes a
-- signal from what its sender may send to each connected user.
-- requires: clock, numbers, gcra, recipients
-- KEYS[1..]: of each user: user HASH, see Accounts; user connections HASH, see UserConnections; blocked ZSET, see Blocks; signals
--   STRING, see EphemeralRecipients
local sender = ARGV[1] -- handle
local limit = tonumber(ARGV[2]) -- integer, bytes a minute of signals to one user; 0: no limit
local size = tonumber(ARGV[3]) -- integer, bytes of the signal; 0: it is not a signal
local ttl = ARGV[4] -- integer, seconds for which the store remembers that a signal was sent
local accepts = ARGV[5] == '1' -- 1: with this signal the sender accepts calls of its recipients; 0: it says nothing of that
-- reply: {connections that take JSON; that take protobuf, see recipients; µs to wait until it may go to every connected user, 0: it
--   goes to all}, without users who are deleted, block the sender, or have received too much
local ACCEPTING = '+'
local time, recipients, longest = now(), {{}, {}}, 0

-- Returns whether a signal may go to a user, and takes it from the limit.
local function may_send(signals)
  if size == 0 then return true end
  local held = redis.call('GET', signals)
  local passes, unused = pass(limit, held and string.match(held, '^%d+'), time, size)
  if passes and (accepts or not held) then
    redis.call('SET', signals, decimal(unused) .. (accepts and ACCEPTING or ''), 'EX', ttl)
  elseif passes then -- an earlier acceptance ends when it would have ended
    redis.call('SET', signals, decimal(unused) .. string.match(held, '%D*$'), 'KEEPTTL')
  else
    longest = math.max(longest, wait(limit, unused, time, size))
  end
  return passes
end

-- Returns whether a user is not deleted, and does not block the sender.
local function hears(user, blocked)
  return redis.call('HEXISTS', user, 'deleted') == 0 and not redis.call('ZSCORE', blocked, sender)
end

for i = 1, #KEYS, 4 do
  local user, user_connections, blocked, signals = KEYS[i], KEYS[i + 1], KEYS[i + 2], KEYS[i + 3]
  local own = {{}, {}}
  add_ready(own, user_connections)
  if #own[1] + #own[2] > 0 and hears(user, blocked) and may_send(signals) then add_all(recipients, own) end
end
local json, protobuf = joined(recipients)
return {json, protobuf, longest}
