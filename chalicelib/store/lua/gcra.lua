-- A part of other scripts. A limit of so many requests a minute, all of which may come at once.
-- The state is one number: the time in microseconds at which the limit will be unused again (the generic cell rate algorithm,
-- ITU-T I.371 annex A, as a virtual clock). All numbers are whole: a fraction lost at each request would add up.
local MINUTE = 60 * 1000000

-- Returns how long a request uses up its part of the limit, and how long all of them together, in microseconds.
local function spans(limit)
  local each = math.ceil(MINUTE / limit)
  return each, each * limit
end

-- limit: requests a minute, 0 for none; unused: the state, false for none; now: microseconds.
-- Returns whether one more may pass, the state after it, and how many more would.
local function pass(limit, unused, now)
  if limit == 0 then return true, now, 0 end
  local each, all = spans(limit)
  local busy = math.max((tonumber(unused) or 0) - now, 0)
  if busy > 2 * MINUTE then busy = 0 end -- of a clock that fell back since: no limit is in use for so long
  if busy + each > all then return false, now + busy, 0 end
  return true, now + busy + each, math.floor((all - busy) / each) - 1
end

-- Returns for how many microseconds nothing will pass.
local function wait(limit, unused, now)
  local each, all = spans(limit)
  return math.max(0, unused - now + each - all)
end
