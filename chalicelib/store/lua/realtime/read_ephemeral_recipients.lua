#!lua flags=allow-oom
-- Reads the ready connections of users of a partition for something of another user that is never stored; of a signal, takes
-- it from what that one may send to each of those who are connected.
-- requires: clock, numbers, gcra, recipients
-- KEYS[1...] of each user: user HASH, see Accounts; connections HASH, see Presence; blocked ZSET, see Blocks;
--            signals STRING, see Ephemeral
-- ARGV[1]    sender  handle
-- ARGV[2]    limit   integer, bytes a minute of signals to one user; 0: any
-- ARGV[3]    size    integer, bytes of the signal; 0: it is none
-- ARGV[4]    kept    integer, seconds for which it is known that a signal was sent
-- ARGV[5]    accepts 1: who sends this signal takes calls of those that it goes to; 0: it says nothing of that
-- reply      {those that take JSON; those that take protobuf, see targets; microseconds to wait until it may go to all who
--            are connected, 0: it goes to all}, without users who are deleted, who block the sender, or to whom too much went
local sender, limit, size, kept, accepts = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5] == '1'
local ACCEPTING = '+'
local time = now()
local targets, longest = {{}, {}}, 0

-- Returns whether a signal may go to a user, and takes it.
local function may_go(signals)
  if size == 0 then return true end
  local held = redis.call('GET', signals)
  local passes, unused = pass(limit, held and string.match(held, '^%d+'), time, size)
  if passes and (accepts or not held) then
    redis.call('SET', signals, decimal(unused) .. (accepts and ACCEPTING or ''), 'EX', kept)
  elseif passes then -- what was accepted ends when it would have ended
    redis.call('SET', signals, decimal(unused) .. string.match(held, '%D*$'), 'KEEPTTL')
  else
    longest = math.max(longest, wait(limit, unused, time, size))
  end
  return passes
end

for i = 1, #KEYS, 4 do
  local user, connections, blocked, signals = KEYS[i], KEYS[i + 1], KEYS[i + 2], KEYS[i + 3]
  if redis.call('HEXISTS', user, 'deleted') == 0 and not redis.call('ZSCORE', blocked, sender) then
    local there = {{}, {}}
    add_ready(there, connections)
    if (#there[1] > 0 or #there[2] > 0) and may_go(signals) then
      for kind = 1, 2 do
        for _, connection in ipairs(there[kind]) do targets[kind][#targets[kind] + 1] = connection end
      end
    end
  end
end
local json, protobuf = told(targets)
return {json, protobuf, longest}
