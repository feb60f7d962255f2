-- A part of other scripts. A limit of so many requests a minute, all of which may come at once.
-- The state is one number: the time in microseconds at which the limit will be unused again (the generic cell rate algorithm,
-- ITU-T I.371 annex A, as a virtual clock). All numbers are whole: a fraction lost at each request would add up.
-- A request that costs more than one takes as many parts of the limit; one that costs more than the limit takes all of it.
local MINUTE = 60 * 1000000

-- Returns how long a request uses up its part of the limit, and how long all parts together, in microseconds.
local function spans(limit, cost)
  local each = math.ceil(MINUTE / limit)
  return each * math.min(cost, limit), each * limit, each
end

-- Returns for how long the limit is in use, in microseconds. A clock that fell back is forgotten: no limit is in use for so long.
local function in_use(unused, now)
  local busy = math.max((tonumber(unused) or 0) - now, 0)
  return busy > 2 * MINUTE and 0 or busy
end

-- limit: requests a minute, 0 for none; unused: the state, false for none; now: microseconds; cost: at least 1.
-- Returns whether the request may pass, the state after it, and how many more of cost 1 would.
local function pass(limit, unused, now, cost)
  if limit == 0 then return true, now, 0 end
  local part, all, each = spans(limit, cost)
  local busy = in_use(unused, now)
  if busy + part > all then return false, now + busy, 0 end
  return true, now + busy + part, math.floor((all - busy - part) / each)
end

-- Takes what has been done already, whatever is left; at most the limit of one minute is taken in advance.
-- Returns as pass does.
local function take(limit, unused, now, cost)
  if limit == 0 then return true, now, 0 end
  local part, all, each = spans(limit, cost)
  local busy = math.min(in_use(unused, now) + part, 2 * MINUTE)
  return true, now + busy, math.max(0, math.floor((all - busy) / each))
end

-- Returns for how many microseconds a request of a cost will not pass.
local function wait(limit, unused, now, cost)
  local part, all = spans(limit, cost)
  return math.max(0, unused - now + part - all)
end
