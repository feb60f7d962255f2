#!lua flags=no-writes
-- Reads an account with its counts.
local user = KEYS[1] -- HASH, see Accounts
-- KEYS[2..4]: ZSETs that are counted: followers, following, posts
-- reply: {field and value in turn; count; count; count}
local reply = {redis.call('HGETALL', user)}
for i = 2, #KEYS do reply[i] = redis.call('ZCARD', KEYS[i]) end
return reply
