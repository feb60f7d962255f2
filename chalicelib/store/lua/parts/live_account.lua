-- Tells whether an account exists.

-- user: the key of the account. Returns false also for a deleted account.
local function is_live(user)
  return redis.call('EXISTS', user) == 1 and redis.call('HEXISTS', user, 'deleted') == 0
end
