-- A part of other scripts. Whether an account is there.

-- user: the key of an account, see Accounts.
-- Returns false for one that never was, and for one that is deleted.
local function is_live(user)
  return redis.call('EXISTS', user) == 1 and redis.call('HEXISTS', user, 'deleted') == 0
end

